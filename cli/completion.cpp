// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "completion.hpp"

#include "command_table.hpp"

#include <string_view>

namespace graceful::cli {

namespace {

/// Lists the servers as a TARGET names them. A shell must not wait for one that hangs.
constexpr std::string_view server_words = " list --names --timeout 500ms 2>/dev/null";

std::string joined_words(std::span<const std::string_view> all) {
  std::string text;
  for (const auto word : all) text += (text.empty() ? "" : " ") + std::string{word};
  return text;
}

std::string command_words() {
  std::string text;
  for (const auto& row : all_commands()) text += (text.empty() ? "" : " ") + std::string{row.name};
  return text;
}

std::string options_of(const command_row& row) {
  std::string text;
  for (const auto& option : all_options()) {
    if (goes_with(option, row.what))
      text += (text.empty() ? "--" : " --") + std::string{option.name};
  }
  return text;
}

/// "--timeout|--until": the options whose values are of these kinds, each once.
std::string patterns(bool (*wanted)(word_kind)) {
  std::string text;
  for (const auto& option : all_options()) {
    const auto name = "--" + std::string{option.name};
    const bool listed = ('|' + text + '|').find('|' + name + '|') != std::string::npos;
    if (wanted(option.kind) && !listed) text += (text.empty() ? "" : "|") + name;
  }
  return text;
}

/// Puts a text in single quotes, for any of the shells.
std::string in_quotes(std::string_view text) {
  std::string inside;
  for (const char c : text) inside += c == '\'' ? std::string{"'\\''"} : std::string{c};
  return '\'' + inside + '\'';
}

/// Escapes what zsh does not allow in a description in brackets or after a colon.
std::string for_arguments(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '[' || c == ']' || c == ':' || c == '\\') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

/// How zsh completes the value of an option.
std::string zsh_action(word_kind kind) {
  switch (kind) {
    case word_kind::milestone:
      return "(" + joined_words(all_milestones()) + ")";
    case word_kind::shell:
      return "(" + joined_words(all_shells()) + ")";
    case word_kind::file:
      return "_files";
    case word_kind::directory:
      return "_files -/";
    case word_kind::server:
      return "_graceful_ctl_servers";
    case word_kind::command:
      return "(" + command_words() + ")";
    default:
      return " ";
  }
}

}  // namespace

std::string bash_completion() {
  std::string text =
      "# bash completion of graceful-ctl, made by: graceful-ctl completion bash\n"
      "_graceful_ctl() {\n"
      "  local program=$1 current=${COMP_WORDS[COMP_CWORD]} before= command= operands=0\n"
      "  local word words= equals= i\n"
      "  COMPREPLY=()\n"
      "  for ((i = 1; i < COMP_CWORD; ++i)); do\n"
      "    word=${COMP_WORDS[i]}\n"
      "    # --option=value and KEY=VALUE come as three words.\n"
      "    if [[ $word == = ]]; then\n"
      "      equals=1\n"
      "      continue\n"
      "    fi\n"
      "    if [[ -n $equals ]]; then\n"
      "      equals= before=\n"
      "      continue\n"
      "    fi\n"
      "    if [[ $word == -- ]]; then\n"
      "      compopt -o default 2>/dev/null\n"
      "      return\n"
      "    fi\n"
      "    case $before in\n"
      "      " +
      patterns([](word_kind kind) { return kind != word_kind::none; }) +
      ") before= ;;\n"
      "      *)\n"
      "        before=\n"
      "        if [[ $word == -* ]]; then\n"
      "          before=$word\n"
      "        elif [[ -z $command ]]; then\n"
      "          command=$word\n"
      "        else\n"
      "          ((++operands))\n"
      "        fi\n"
      "        ;;\n"
      "    esac\n"
      "  done\n"
      "  [[ -n $equals && -z $before ]] && return\n"
      "  [[ $current == = ]] && current=\n"
      "  case $before in\n";
  text += "    " + patterns([](word_kind kind) { return kind == word_kind::milestone; }) +
          ") words=" + in_quotes(joined_words(all_milestones())) + " ;;\n";
  text += "    " + patterns([](word_kind kind) { return kind == word_kind::directory; }) +
          ")\n"
          "      compopt -o filenames 2>/dev/null\n"
          "      COMPREPLY=($(compgen -d -- \"$current\"))\n"
          "      return\n"
          "      ;;\n";
  text += "    " + patterns([](word_kind kind) { return kind == word_kind::file; }) +
          ")\n"
          "      compopt -o default 2>/dev/null\n"
          "      return\n"
          "      ;;\n";
  text += "    " + patterns([](word_kind kind) {
            return kind == word_kind::time || kind == word_kind::number || kind == word_kind::text;
          }) +
          ") return ;;\n"
          "    *)\n"
          "      case $command in\n"
          "        '') words=" +
          in_quotes(command_words() + " --help --version") + " ;;\n";
  for (const auto& row : all_commands()) {
    text += "        " + std::string{row.name} + ")\n";
    text +=
        "          if [[ $current == -* ]]; then\n            words=" + in_quotes(options_of(row)) +
        '\n';
    if (row.operand != word_kind::none) {
      text += "          elif ((operands == 0)); then\n";
      if (row.operand == word_kind::server) {
        text +=
            "            if [[ $current == */* ]]; then\n"
            "              compopt -o default 2>/dev/null\n"
            "              return\n"
            "            fi\n"
            "            words=$(\"$program\"" +
            std::string{server_words} + ")\n";
      } else {
        text += "            words=" +
                in_quotes(row.operand == word_kind::shell ? joined_words(all_shells())
                                                          : command_words()) +
                '\n';
      }
    }
    text += "          fi\n          ;;\n";
  }
  return text +
         "      esac\n"
         "      ;;\n"
         "  esac\n"
         "  local IFS=$' \\t\\n'\n"
         "  COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
         "}\n"
         "complete -F _graceful_ctl graceful-ctl\n";
}

std::string zsh_completion() {
  std::string text =
      "#compdef graceful-ctl\n"
      "# zsh completion of graceful-ctl, made by: graceful-ctl completion zsh\n"
      "_graceful_ctl_servers() {\n"
      "  if [[ $PREFIX == */* ]]; then\n"
      "    _files\n"
      "    return\n"
      "  fi\n"
      "  local -a names\n"
      "  names=(${(f)\"$(_call_program servers graceful-ctl" +
      std::string{server_words} +
      ")\"})\n"
      "  _describe -t servers server names\n"
      "}\n"
      "_graceful_ctl() {\n"
      "  local curcontext=$curcontext state line\n"
      "  local -a commands\n"
      "  typeset -A opt_args\n"
      "  _arguments -C '(-h --help)'{-h,--help}'[print this and exit]' "
      "'--version[print the version and exit]' '1:command:->command' '*::word:->word'\n"
      "  case $state in\n"
      "    command)\n"
      "      commands=(\n";
  for (const auto& row : all_commands()) {
    text += "        " + in_quotes(std::string{row.name} + ':' + for_arguments(row.summary)) + '\n';
  }
  text +=
      "      )\n"
      "      _describe -t commands command commands\n"
      "      ;;\n"
      "    word)\n"
      "      case $line[1] in\n";
  for (const auto& row : all_commands()) {
    text += "        " + std::string{row.name} + ")\n          _arguments -S";
    for (const auto& option : all_options()) {
      if (!goes_with(option, row.what)) continue;
      auto spec = std::string{option.repeats ? "*" : ""} + "--" + std::string{option.name};
      if (!option.value.empty()) spec += '=';
      spec += '[' + for_arguments(option.help) + ']';
      if (!option.value.empty()) {
        spec += ':' + for_arguments(option.value) + ':' + zsh_action(option.kind);
      }
      text += " \\\n            " + in_quotes(spec);
    }
    if (row.operand != word_kind::none) {
      text += " \\\n            " + in_quotes("1: :" + zsh_action(row.operand));
    }
    if (row.starts_program) text += " \\\n            '*:::program:_normal'";
    text += "\n          ;;\n";
  }
  return text +
         "      esac\n"
         "      ;;\n"
         "  esac\n"
         "}\n"
         "if [[ $funcstack[1] == _graceful_ctl || $funcstack[1] == _graceful-ctl ]]; then\n"
         "  _graceful_ctl \"$@\"\n"
         "else\n"
         "  compdef _graceful_ctl graceful-ctl\n"
         "fi\n";
}

std::string fish_completion() {
  std::string text =
      "# fish completion of graceful-ctl, made by: graceful-ctl completion fish\n"
      "complete -c graceful-ctl -f\n"
      "complete -c graceful-ctl -s h -l help -d 'print this and exit'\n"
      "complete -c graceful-ctl -n __fish_use_subcommand -l version -d 'print the version and "
      "exit'\n";
  const auto rule = [](const command_row& row) {
    return "complete -c graceful-ctl -n '__fish_seen_subcommand_from " + std::string{row.name} +
           "'";
  };
  for (const auto& row : all_commands()) {
    text += "complete -c graceful-ctl -n __fish_use_subcommand -a " + std::string{row.name} +
            " -d " + in_quotes(row.summary) + '\n';
    if (row.operand == word_kind::server) {
      text += rule(row) + " -a '(graceful-ctl" + std::string{server_words} + ")' -d server\n";
    } else if (row.operand == word_kind::shell) {
      text += rule(row) + " -a " + in_quotes(joined_words(all_shells())) + '\n';
    } else if (row.operand == word_kind::command) {
      text += rule(row) + " -a " + in_quotes(command_words()) + '\n';
    }
    for (const auto& option : all_options()) {
      if (!goes_with(option, row.what) || option.name == "help" || option.name == "version")
        continue;
      text += rule(row) + " -l " + std::string{option.name};
      if (!option.value.empty()) {
        text += option.kind == word_kind::file ? " -rF" : " -x";
      }
      if (option.kind == word_kind::milestone)
        text += " -a " + in_quotes(joined_words(all_milestones()));
      if (option.kind == word_kind::directory) text += " -a '(__fish_complete_directories)'";
      text += " -d " + in_quotes(option.help) + '\n';
    }
  }
  return text;
}

}  // namespace graceful::cli
