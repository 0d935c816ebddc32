// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "suggestion.hpp"

#include "arguments.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace graceful::cli;

TEST_CASE("a name that differs by a few letters, or begins with the word, is suggested") {
  const std::vector<std::string_view> names{"upgrade", "status", "abort", "drain", "run"};
  for (const auto& each :
       {std::pair{"upgarde", "upgrade"}, std::pair{"upgade", "upgrade"},
        std::pair{"updgrade", "upgrade"}, std::pair{"stat", "status"}, std::pair{"up", "upgrade"},
        std::pair{"rnu", "run"}, std::pair{"drian", "drain"}, std::pair{"abrot", "abort"}}) {
    CAPTURE(each.first);
    CHECK(nearest(each.first, names).value_or("nothing") == each.second);
  }
  for (const auto& word : {std::string{}, std::string{"restart"}, std::string{"x"},
                           std::string{"ls"}, std::string(10'000, 'u')}) {
    CHECK_FALSE(nearest(word, names).has_value());
  }
}

TEST_CASE("an unknown command is answered with the nearest one, or with all") {
  const auto answer = [](const std::vector<std::string>& words) {
    return parse(words).error().message;
  };
  CHECK(answer({"upgarde"}) ==
        "'upgarde' is no command; did you mean upgrade? (see graceful-ctl --help)");
  CHECK(answer({"xyzzy"}).starts_with("'xyzzy' is no command: upgrade, status, "));
}

TEST_CASE("an unknown option is answered with the nearest one that the command takes") {
  const auto answer = [](const std::vector<std::string>& words) {
    return parse(words).error().message;
  };
  CHECK(answer({"status", "--jsn=1"}).starts_with("--jsn is no option of status; did you mean"));
  CHECK(answer({"status", "--jsn"}) ==
        "--jsn is no option of status; did you mean --json? (see graceful-ctl status --help)");
  CHECK(answer({"upgrade", "--dir=x"}).find("did you mean --directory?") != std::string::npos);
  CHECK(answer({"status", "--dir", "x"}).find("did you mean") == std::string::npos);
  CHECK(answer({"--tiemout", "3", "drain"}).find("did you mean --timeout?") != std::string::npos);
  CHECK(answer({"--xyzzy"}) == "--xyzzy is no option; see graceful-ctl --help");
  CHECK(answer({"status", "-x"}).find("is no option of status") != std::string::npos);
  CHECK(answer({"status", "---"}).find("is no option of status") != std::string::npos);
}
