// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "wire/members.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace graceful::wire {

namespace {

struct inner {
  std::int64_t number = 0;
};

struct sample {
  std::string name;
  std::uint64_t count = 0;
  std::string remark;
  bool flag = false;
  std::vector<inner> parts;
  std::optional<std::chrono::milliseconds> timeout;
  std::map<std::string, std::string> variables;
};

}  // namespace

template <>
inline constexpr auto members<inner> = std::tuple{required("number", &inner::number)};

template <>
inline constexpr auto members<sample> =
    std::tuple{required("name", &sample::name),          informative("count", &sample::count),
               optional("remark", &sample::remark),      lenient("flag", &sample::flag),
               newer("parts", &sample::parts),           optional("timeout_ms", &sample::timeout),
               optional("variables", &sample::variables)};

}  // namespace graceful::wire

namespace {

namespace wire = graceful::wire;
namespace json = boost::json;

std::optional<wire::sample> parsed(std::string_view text) {
  return wire::parse<wire::sample>(json::parse(text).get_object());
}

std::string written(const wire::sample& m) { return json::serialize(wire::write(m)); }

}  // namespace

TEST_CASE("a message that says nothing sends only the members that are always sent") {
  CHECK(written({}) == R"({"name":"","count":0,"parts":[]})");
}

TEST_CASE("a message that is written and read again is the same") {
  wire::sample m{.name = "web",
                 .count = 7,
                 .remark = "slow",
                 .flag = true,
                 .parts = {{1}, {-2}},
                 .timeout = std::chrono::milliseconds{30},
                 .variables = {{"A", "1"}, {"B", ""}}};
  const auto text = written(m);
  CHECK(text == R"({"name":"web","count":7,"remark":"slow","flag":true,)"
                R"("parts":[{"number":1},{"number":-2}],"timeout_ms":30,)"
                R"("variables":{"A":"1","B":""}})");
  const auto read = parsed(text);
  REQUIRE(read);
  CHECK(written(*read) == text);
}

TEST_CASE("a message without a required member, or with one of another type, is none") {
  CHECK(parsed(R"({"name":"web"})"));
  CHECK_FALSE(parsed("{}"));
  CHECK_FALSE(parsed(R"({"name":null})"));
  CHECK_FALSE(parsed(R"({"name":7})"));
}

TEST_CASE("an optional member may be missing or null, but not wrong") {
  CHECK(parsed(R"({"name":"","remark":null})").value().remark.empty());
  CHECK_FALSE(parsed(R"({"name":"","remark":7})"));
  CHECK_FALSE(parsed(R"({"name":"","timeout_ms":-1})"));
  CHECK_FALSE(parsed(R"({"name":"","timeout_ms":1.5})"));
  CHECK_FALSE(parsed(R"({"name":"","variables":{"A":1}})"));
}

TEST_CASE(
    "a newer member may be missing, and one of its elements that is wrong spoils the message") {
  CHECK(parsed(R"({"name":""})").value().parts.empty());
  CHECK_FALSE(parsed(R"({"name":"","parts":[{"number":1},{}]})"));
  CHECK_FALSE(parsed(R"({"name":"","parts":{}})"));
}

TEST_CASE("a lenient or informative member that is wrong counts as its default") {
  CHECK_FALSE(parsed(R"({"name":"","flag":"yes"})").value().flag);
  CHECK(parsed(R"({"name":"","count":-1})").value().count == 0);
  CHECK(parsed(R"({"name":"","count":"7"})").value().count == 0);
}

TEST_CASE("a member that nobody knows is ignored") {
  CHECK(parsed(R"({"name":"web","added_later":[]})").value().name == "web");
}
