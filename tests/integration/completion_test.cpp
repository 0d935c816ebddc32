// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
//
// The completions, in the shells that read them.
#include "possible.hpp"
#include "server_fixture.hpp"
#include "terminal.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

using namespace graceful_test;
namespace fs = std::filesystem;

namespace {

bool has_shell(const std::string& path) {
  return is_possible(fs::exists(path), "there is no " + path + "; install it");
}

/// A home directory with a completion, and a graceful-ctl in PATH that knows two servers.
struct shell_room {
  explicit shell_room(const char* shell) : script{where.path(shell)} {
    std::ofstream{script} << run(where, {programs::graceful_ctl(), "completion", shell}).out;
    fs::create_directory(where.path("bin"));
    const auto program = where.path("bin/graceful-ctl");
    std::ofstream{program} << "#!/bin/sh\n"
                              "[ \"$1 $2\" = 'list --names' ] && printf 'shop\\nweb\\n'\n";
    fs::permissions(program, fs::perms::owner_all);
    options.environment = {{"PATH", where.path("bin") + ":/usr/bin:/bin"},
                           {"HOME", where.directory()},
                           {"TERM", "xterm"},
                           {"LC_ALL", "C.UTF-8"}};
  }

  scene where;
  std::string script;
  process_options options;
};

std::set<std::string> first_words(const std::string& text) {
  std::set<std::string> all;
  std::istringstream lines{text};
  for (std::string line; std::getline(lines, line);) all.insert(line.substr(0, line.find('\t')));
  all.erase("");
  return all;
}

using offers = std::set<std::string>;

/// What all shells have in common; `complete` returns what is offered for the last word.
template <class Complete>
void check_offers(Complete complete) {
  CHECK(complete({"up"}) == offers{"upgrade"});
  CHECK(complete({"re"}) == offers{"reexec"});
  CHECK(complete({""}).contains("status"));
  CHECK(complete({"upgrade", "--unt"}) == offers{"--until"});
  CHECK(complete({"drain", "--no"}) == offers{"--now"});
  CHECK(complete({"status", "--no"}).empty());
  CHECK(complete({"drain", "--timeout", "2s", "--no"}) == offers{"--now"});
  CHECK(complete({"upgrade", "--until", ""}) == offers{"ready", "committed", "drained"});
  CHECK(complete({"upgrade", "--until", "co"}) == offers{"committed"});
  CHECK(complete({"upgrade", ""}) == offers{"shop", "web"});
  CHECK(complete({"drain", "--now", "sh"}) == offers{"shop"});
  CHECK(complete({"help", "mon"}) == offers{"monitor"});
  CHECK(complete({"completion", ""}) == offers{"bash", "zsh", "fish"});
}

}  // namespace

TEST_CASE("bash completes commands, their options, values, and servers") {
  if (!has_shell("/bin/bash")) return;
  shell_room room{"bash"};
  const auto complete = [&](std::vector<std::string> words) {
    std::vector<std::string> argv{
        "/bin/bash", "--norc", "-c",
        ". \"$0\" && COMP_WORDS=(graceful-ctl \"$@\") COMP_CWORD=$# && _graceful_ctl graceful-ctl "
        "2>/dev/null; printf '%s\\n' \"${COMPREPLY[@]}\"",
        room.script};
    argv.insert(argv.end(), words.begin(), words.end());
    return first_words(run(room.where, argv, room.options).out);
  };
  check_offers(complete);
  CHECK(complete({"upgrade", "--until", "=", "dr"}) == offers{"drained"});
  CHECK(complete({"upgrade", "--until", "="}) == offers{"ready", "committed", "drained"});
  CHECK(complete({"upgrade", "--timeout", "=", "3s", "--unt"}) == offers{"--until"});
  CHECK(complete({"upgrade", "--env", "A", "=", "b"}).empty());
  CHECK(complete({"upgrade", "--env", "A", "=", "b", "sh"}) == offers{"shop"});
  CHECK(complete({"upgrade", "shop", "we"}).empty());
  CHECK(complete({"upgrade", "--", "sh"}).empty());
}

TEST_CASE("bash completes at an interactive prompt") {
  if (!has_shell("/bin/bash")) return;
  shell_room room{"bash"};
  terminal tty{80};
  room.options.terminal = tty.program_end();
  process& shell = room.where.start({"/bin/bash", "--norc", "--noprofile", "-i"}, room.options);
  tty.let_go();
  tty.type("bind 'set enable-bracketed-paste off'; . " + room.script +
           "; graceful-ctl() { [ $1 = list ] && echo web || echo \"<$*>\"; }; echo set' up'\n");
  REQUIRE(tty.wait_for("set up\r\n", patience));
  tty.type("graceful-ctl dr\tw\t--no\t\n");
  CHECK(tty.wait_for("<drain web --now>", patience));
  tty.type("exit\n");
  tty.wait_end(patience);
  CHECK(shell.wait_exit(patience));
}

TEST_CASE("fish completes commands, their options, values, and servers") {
  if (!has_shell("/usr/bin/fish")) return;
  shell_room room{"fish"};
  check_offers([&](const std::vector<std::string>& words) {
    std::string line = "graceful-ctl";
    for (const auto& word : words) line += ' ' + word;
    return first_words(run(room.where,
                           {"/usr/bin/fish", "--no-config", "-c",
                            "source " + room.script + "; complete -C '" + line + "'"},
                           room.options)
                           .out);
  });
}

TEST_CASE("zsh completes commands, their options, values, and servers") {
  if (!has_shell("/usr/bin/zsh")) return;
  shell_room room{"zsh"};
  // Installed as usual, and read as by ~/.zshrc.
  fs::create_directory(room.where.path("site"));
  fs::copy_file(room.script, room.where.path("site/_graceful-ctl"));
  for (const auto& [before, after] :
       {std::pair{"fpath=(" + room.where.path("site") + " $fpath) && ", std::string{}},
        std::pair{std::string{}, ". " + room.script + " && "}}) {
    terminal tty{80};
    room.options.terminal = tty.program_end();
    process& shell = room.where.start({"/usr/bin/zsh", "-f", "-i"}, room.options);
    tty.let_go();
    tty.type(before + "autoload -Uz compinit && compinit -u -D && " + after +
             "graceful-ctl() { [[ $1 == list ]] && print -l shop web || echo \"<$count $*>\" } && "
             "zle-line-init() { print -n \"prompt $((++count)).\" } && zle -N zle-line-init\n");
    int prompts = 0;
    const auto check_line = [&](const std::string& keys, const std::string& result) {
      REQUIRE(tty.wait_for("prompt " + std::to_string(++prompts) + '.', patience));
      tty.type("graceful-ctl " + keys + "\n");
      const bool completed =
          tty.wait_for('<' + std::to_string(prompts) + ' ' + result + '>', patience);
      CAPTURE(keys);
      INFO(tty.text());
      CHECK(completed);
    };
    check_line("upg\t", "upgrade");
    check_line("dr\tsh\t", "drain shop");
    check_line("drain --no\tw\t", "drain --now web");
    check_line("upgrade --until=dr\t", "upgrade --until=drained");
    check_line("upgrade --until co\t", "upgrade --until committed");
    check_line("help mon\t", "help monitor");
    check_line("completion fi\t", "completion fish");
    check_line("status --no\t", "status --no");
    tty.type("exit\n");
    tty.wait_end(patience);
    CHECK(shell.wait_exit(patience));
  }
}
