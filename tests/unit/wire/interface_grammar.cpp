// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "wire/interface_grammar.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <stdexcept>
#include <utility>

namespace graceful_test {
namespace {

bool is_letter(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0; }
bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

class parser {
 public:
  explicit parser(std::string_view text) : left_{text} {}

  interface_members parse() {
    keyword("interface");
    result_.name = interface_name();
    while (skip(), !left_.empty()) member();
    for (const auto& name : used_) {
      if (!result_.types.contains(name)) fail("type " + name + " is not defined");
    }
    return std::move(result_);
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw std::runtime_error{what + " at: " + std::string{left_.substr(0, 40)}};
  }

  void skip() {
    while (!left_.empty()) {
      if (left_.front() == '#') {
        left_.remove_prefix(std::min(left_.find('\n'), left_.size()));
      } else if (left_.front() == ' ' || left_.front() == '\n') {
        left_.remove_prefix(1);
      } else {
        return;
      }
    }
  }

  bool accept(std::string_view token) {
    skip();
    if (!left_.starts_with(token)) return false;
    left_.remove_prefix(token.size());
    return true;
  }

  void expect(std::string_view token) {
    if (!accept(token)) fail("no '" + std::string{token} + "'");
  }

  std::string word() {
    skip();
    std::size_t size = 0;
    while (size < left_.size() && is_word(left_[size])) ++size;
    if (size == 0 || !is_letter(left_.front())) fail("no name");
    std::string result{left_.substr(0, size)};
    left_.remove_prefix(size);
    return result;
  }

  void keyword(std::string_view wanted) {
    if (word() != wanted) fail("no " + std::string{wanted});
  }

  std::string interface_name() {
    std::string name = word();
    if (!left_.starts_with('.')) fail("an interface's name has two parts at least");
    while (left_.starts_with('.')) {
      left_.remove_prefix(1);
      name += '.' + word();
    }
    return name;
  }

  std::string member_name() {
    std::string name = word();
    if (name.front() < 'A' || name.front() > 'Z' || name.find('_') != name.npos) {
      fail(name + " is no name of a member");
    }
    return name;
  }

  void member() {
    const std::string kind = word();
    auto& set = kind == "type"     ? result_.types
                : kind == "method" ? result_.methods
                : kind == "error"  ? result_.errors
                                   : (fail("no member: " + kind), result_.types);
    if (const auto name = member_name(); !set.insert(name).second) fail(name + " comes twice");
    structure();
    if (kind == "method") {
      expect("->");
      structure();
    }
  }

  void structure() {
    expect("(");
    if (accept(")")) return;
    std::set<std::string> fields;
    do {
      const std::string name = word();
      if (name.back() == '_' || name.find("__") != name.npos) fail(name + " is no field's name");
      if (!fields.insert(name).second) fail(name + " comes twice");
      expect(":");
      type(true);
    } while (accept(","));
    expect(")");
  }

  void type(bool may_be_optional) {
    if (accept("?")) {
      if (!may_be_optional) fail("optional of an optional");
      return type(false);
    }
    if (accept("[]") || accept("[string]")) return type(true);
    skip();
    if (left_.starts_with('(')) return structure();
    constexpr std::array<std::string_view, 5> basic{"bool", "int", "float", "string", "object"};
    const std::string name = word();
    for (const auto known : basic) {
      if (name == known) return;
    }
    used_.insert(name);
  }

  std::string_view left_;
  interface_members result_;
  std::set<std::string> used_;
};

}  // namespace

interface_members parse_interface(std::string_view text) { return parser{text}.parse(); }

}  // namespace graceful_test
