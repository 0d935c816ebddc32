// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "os/journal_stream.hpp"

#include <graceful/unique_fd.hpp>

#include <doctest/doctest.h>

#include <array>
#include <string>

#include <sys/socket.h>
#include <sys/stat.h>

using graceful::os::is_journal_stream;

TEST_CASE("a stream is the journal's if the variable names exactly that stream") {
  std::array<int, 2> ends{};
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()) == 0);
  const graceful::unique_fd one{ends[0]};
  const graceful::unique_fd other{ends[1]};
  struct stat status {};
  REQUIRE(::fstat(one.get(), &status) == 0);
  const auto device = std::to_string(status.st_dev);
  const auto inode = std::to_string(status.st_ino);
  CHECK(is_journal_stream(one.get(), device + ':' + inode));
  CHECK_FALSE(is_journal_stream(other.get(), device + ':' + inode));
  CHECK_FALSE(is_journal_stream(-1, device + ':' + inode));
  for (const std::string& wrong : {std::string{}, inode, device + ':', ':' + inode,
                                   inode + ':' + device, device + ':' + inode + '0'}) {
    CAPTURE(wrong);
    CHECK_FALSE(is_journal_stream(one.get(), wrong));
  }
}
