// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "supervisor/notification.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <random>
#include <string>

using namespace graceful::supervision;
using namespace std::string_literals;

TEST_CASE("the messages of sd_notify(3) are understood") {
  const auto n = parse_notification(
      "READY=1\nSTATUS=generation 3 serves\nMAINPID=812\nEXTEND_TIMEOUT_USEC=2500000\n"
      "FDSTORE=1\nFDNAME=http\n");
  REQUIRE(n);
  CHECK(n->ready);
  CHECK(n->status == "generation 3 serves");
  CHECK(n->main_pid == 812);
  CHECK(n->extension == std::chrono::milliseconds{2500});
  CHECK(n->store);
  CHECK(n->name == "http");
  CHECK_FALSE(n->remove);
  CHECK_FALSE(n->stopping);
  CHECK_FALSE(n->reloading);
  CHECK_FALSE(n->barrier);

  CHECK(parse_notification("RELOADING=1\nMONOTONIC_USEC=12")->reloading);
  CHECK(parse_notification("STOPPING=1")->stopping);
  CHECK(parse_notification("X_GRACEFUL_WENT_BACK=1")->went_back);
  CHECK(parse_notification("BARRIER=1")->barrier);
  const auto removed = parse_notification("FDSTOREREMOVE=1\nFDNAME=http");
  CHECK(removed->remove);
  CHECK(removed->name == "http");
}

TEST_CASE("senseless values are ignored, and the rest still counts") {
  const auto n = parse_notification(
      "\n\nREADY=yes\n=\nnonsense\nMAINPID=-1\nEXTEND_TIMEOUT_USEC=1x\nX_OURS=1\nSTOPPING=1");
  REQUIRE(n);
  CHECK_FALSE(n->ready);
  CHECK(n->stopping);
  CHECK_FALSE(n->main_pid);
  CHECK_FALSE(n->extension);
  CHECK_FALSE(n->status);
  for (const char* pid : {"MAINPID=", "MAINPID=0", "MAINPID= 7", "MAINPID=7 ", "MAINPID=+7",
                          "MAINPID=99999999999", "MAINPID=0x7"}) {
    CHECK_FALSE(parse_notification(pid)->main_pid);
  }
  CHECK_FALSE(parse_notification("")->ready);
}

TEST_CASE("a datagram that is too long, or not text, is ignored as a whole") {
  CHECK(parse_notification("READY=1\n" + std::string(max_notification - 8, 'x')));
  CHECK_FALSE(parse_notification("READY=1\n" + std::string(max_notification - 7, 'x')));
  CHECK_FALSE(parse_notification("READY=1\0STATUS=x"s));
  CHECK_FALSE(parse_notification("READY=1\nSTATUS=\xff"));
  CHECK(parse_notification("READY=1\0\0"s)->ready);  // some senders include the end of a C string
}

TEST_CASE("of two lines with the same key the first counts") {
  const auto n = parse_notification("MAINPID=7\nMAINPID=8\nSTATUS=a\nSTATUS=b");
  CHECK(n->main_pid == 7);
  CHECK(n->status == "a");
}

TEST_CASE("a descriptor gets the name that was sent, if it is a valid one") {
  CHECK(is_descriptor_name("http"));
  CHECK(is_descriptor_name(std::string(255, 'x')));
  CHECK(is_descriptor_name("~ !"));
  for (const auto& name : {""s, "a:b"s, "a\x7f"s, "a\tb"s, "\xc3\xa4"s, std::string(256, 'x')}) {
    CHECK_FALSE(is_descriptor_name(name));
    CHECK(parse_notification("FDSTORE=1\nFDNAME=" + name)->name == unnamed);
  }
}

TEST_CASE("the size of what is kept of a message is bounded") {
  const auto n = parse_notification("STATUS=" + std::string(1023, 'x') + "\xc3\xa4");
  CHECK(n->status == std::string(1023, 'x'));
  CHECK(parse_notification("EXTEND_TIMEOUT_USEC=18446744073709551615")->extension ==
        std::chrono::hours{24});
}

TEST_CASE("any bytes can be parsed") {
  std::mt19937 random{5};
  const std::string alphabet = "READY=1\nMAINPIDFDSTORE0123456789:\0\x7f\xc3\xa4 "s;
  for (int i = 0; i < 20'000; ++i) {
    std::string text(random() % 64, ' ');
    for (char& c : text) c = alphabet[random() % alphabet.size()];
    const auto n = parse_notification(text);
    if (!n) continue;
    CHECK(is_descriptor_name(n->name));
    CHECK((!n->main_pid || *n->main_pid > 0));
  }
}
