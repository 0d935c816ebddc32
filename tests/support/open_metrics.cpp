// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "open_metrics.hpp"

#include <cmath>
#include <cstdlib>
#include <set>
#include <stdexcept>
#include <utility>

namespace graceful_test {

namespace {

constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
constexpr std::string_view digits = "0123456789";

/// One line, and the position in it.
class line_reader {
 public:
  explicit line_reader(std::string_view line) : line_{line}, left_{line} {}

  void require(bool condition, const char* what) const {
    if (!condition) throw std::runtime_error{std::string{what} + ": " + std::string{line_}};
  }

  bool skip(std::string_view token) {
    if (!left_.starts_with(token)) return false;
    left_.remove_prefix(token.size());
    return true;
  }
  void expect(std::string_view token) { require(skip(token), "something else is expected"); }

  std::string name(bool colons) {
    const std::string first = std::string{letters} + (colons ? ":" : "");
    const auto end = left_.find_first_not_of(first + std::string{digits});
    const std::string word{left_.substr(0, end)};
    require(!word.empty() && first.find(word[0]) != std::string::npos, "no name");
    left_.remove_prefix(word.size());
    return word;
  }

  /// Reads up to `end`, with the escapes \\, \n and \".
  std::string escaped(std::string_view end) {
    std::string value;
    while (end.empty() ? !left_.empty() : !left_.starts_with(end)) {
      require(!left_.empty(), "no end of a string");
      if (skip("\\")) {
        require(left_.starts_with('\\') || left_.starts_with('n') || left_.starts_with('"'),
                "no such escape");
        value += left_[0] == 'n' ? '\n' : left_[0];
      } else {
        value += left_[0];
      }
      left_.remove_prefix(1);
    }
    return value;
  }

  std::string rest() { return std::string{std::exchange(left_, {})}; }

 private:
  std::string_view line_;
  std::string_view left_;
};

class parser {
 public:
  open_metrics parse(std::string_view text) {
    while (!text.empty()) {
      const auto end = text.find('\n');
      line_reader line{text.substr(0, end)};
      line.require(end != std::string_view::npos, "the line has no end");
      line.require(!ended_, "something follows the end");
      on_line(line);
      text.remove_prefix(end + 1);
    }
    if (!ended_) throw std::runtime_error{"no # EOF"};
    return std::move(result_);
  }

 private:
  void on_line(line_reader& line) {
    if (!line.skip("# ")) return on_sample(line);
    if (line.skip("TYPE ")) {
      finish_family(line);
      family_ = line.name(true);
      line.expect(" ");
      type_ = line.rest();
      line.require(result_.types.emplace(family_, type_).second, "a family comes twice");
      line.require(std::set<std::string>{"counter", "gauge", "info", "stateset"}.contains(type_),
                   "an unknown type");
    } else if (line.skip("HELP ")) {
      same_family(line);
      line.require(!helped_, "HELP comes twice");
      line.expect(" ");
      line.require(!line.escaped("").empty(), "an empty HELP");
      helped_ = true;
    } else if (line.skip("UNIT ")) {
      same_family(line);
      line.expect(" ");
      const auto unit = line.rest();
      line.require(!unit.empty() && family_.ends_with('_' + unit), "a unit that is no suffix");
    } else {
      line.expect("EOF");
      line.require(line.rest().empty(), "something follows EOF");
      finish_family(line);
      ended_ = true;
    }
  }

  void same_family(line_reader& line) const {
    line.require(line.name(true) == family_ && !sampled_, "out of its family");
  }

  void finish_family(const line_reader& line) {
    line.require(family_.empty() || (helped_ && sampled_), "a family lacks something before");
    helped_ = sampled_ = false;
  }

  void on_sample(line_reader& line) {
    const auto name = line.name(true);
    const std::string suffix = type_ == "counter" ? "_total" : type_ == "info" ? "_info" : "";
    line.require(!family_.empty() && name == family_ + suffix, "a sample out of its family");
    line.require(helped_, "no HELP before");
    std::string key = name;
    std::map<std::string, std::string> labels;
    if (line.skip("{")) {
      do {
        const auto label = line.name(false);
        line.expect("=\"");
        line.require(labels.emplace(label, line.escaped("\"")).second, "a label comes twice");
        line.expect("\"");
      } while (line.skip(","));
      line.expect("}");
    }
    for (const auto& [label, value] : labels) {
      key += (key == name ? '{' : ',') + label + '=' + value;
    }
    if (!labels.empty()) key += '}';
    line.expect(" ");
    const auto number = line.rest();
    char* end = nullptr;
    const double value = std::strtod(number.c_str(), &end);
    line.require(!number.empty() && *end == '\0' && std::isfinite(value), "no number");
    line.require(type_ == "gauge" || value >= 0, "a negative value");
    line.require(type_ != "info" || value == 1, "an info is 1");
    line.require(type_ != "stateset" || ((value == 0 || value == 1) && labels.contains(family_)),
                 "a state is 0 or 1, and has the name of its family as a label");
    line.require(result_.samples.emplace(key, value).second, "a sample comes twice");
    sampled_ = true;
  }

  open_metrics result_;
  std::string family_;
  std::string type_;
  bool helped_ = false;
  bool sampled_ = false;
  bool ended_ = false;
};

}  // namespace

open_metrics parse_open_metrics(std::string_view text) { return parser{}.parse(text); }

}  // namespace graceful_test
