// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "os/system_failure.hpp"

#include <doctest/doctest.h>

#include <cerrno>
#include <string>

namespace os = graceful::os;

namespace {

/// What in_words() makes of an exception.
template <class Exception>
std::string sentence_of(const Exception& thrown) {
  try {
    os::in_words("cannot serve", [&]() -> int { throw thrown; });
  } catch (const graceful::error& e) {
    return e.what();
  }
  return {};
}

}  // namespace

TEST_CASE("a failed system call says what was tried, and what the system says") {
  errno = ENOENT;
  const auto why = os::system_failure("cannot open the file");
  CHECK(why.code == os::system_code(ENOENT));
  CHECK(why.message == "cannot open the file: No such file or directory");
}

TEST_CASE("where the limit of open files is reached, the message says that it can be raised") {
  const auto why = os::system_failure("cannot accept", EMFILE);
  CHECK(why.message.find("raise the limit of open files") != why.message.npos);
}

TEST_CASE("an exception of Asio gets words, and one of ours keeps its own") {
  const boost::system::system_error asio{os::system_code(EMFILE), "epoll_create"};
  const auto said = sentence_of(asio);
  CHECK(said.starts_with("cannot serve: "));
  CHECK(said.find("epoll_create") == said.npos);
  CHECK(said.find("raise the limit of open files") != said.npos);
  const graceful::error ours{{graceful::errc::busy, "the process drains"}};
  CHECK(sentence_of(ours) == "the process drains");
  CHECK(os::in_words("cannot serve", [] { return 7; }) == 7);
}
