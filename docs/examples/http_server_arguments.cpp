// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "http_server_arguments.hpp"

#include <graceful/duration_text.hpp>

#include <boost/asio/ip/address.hpp>
#include <boost/program_options.hpp>

#include <charconv>
#include <cstdint>
#include <sstream>
#include <string_view>

namespace po = boost::program_options;
using boost::asio::ip::tcp;

namespace {

constexpr int most_threads = 256;

tcp::endpoint parse_endpoint(const std::string& text) {
  const auto colon = text.rfind(':');
  std::string_view host{text.data(), colon == std::string::npos ? 0 : colon};
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);

  boost::system::error_code ec;
  const auto address = boost::asio::ip::make_address(host, ec);
  std::uint16_t port{};
  const char* const begin = text.data() + (colon == std::string::npos ? text.size() : colon + 1);
  const char* const end = text.data() + text.size();
  const auto [last, error] = std::from_chars(begin, end, port);
  if (ec || address.is_v6() != bracketed || error != std::errc{} || last != end) {
    throw usage_error{"--listen takes 127.0.0.1:8080 or [::1]:8080, not '" + text + "'"};
  }
  return {address, port};
}

/// A number within bounds that sets `target`. Its default is what `target` is.
po::typed_value<int>* number(const char* name, int& target, int least, int most) {
  return po::value<int>()->value_name("N")->notifier([=, &target](int value) {
    if (value < least || value > most) {
      throw usage_error{std::string{name} + " takes a number from " + std::to_string(least) +
                        " to " + std::to_string(most)};
    }
    target = value;
  });
}

/// The same for a time: up to a day, as the library takes it.
po::typed_value<std::string>* time(const char* name, std::chrono::milliseconds& target,
                                   std::chrono::milliseconds least = {}) {
  return po::value<std::string>()->value_name("TIME")->notifier(
      [=, &target](const std::string& text) {
        const auto read = graceful::parse_duration(text, least);
        if (!read) throw usage_error{std::string{name} + ": " + read.error().message};
        target = *read;
      });
}

po::options_description options(http_server_arguments& args) {
  po::options_description all{"Options"};
  all.add_options()  //
      ("listen",
       po::value<std::vector<std::string>>()
           ->value_name("ADDRESS:PORT")
           ->notifier([&](auto& texts) {
             for (const std::string& text : texts) args.listen.push_back(parse_endpoint(text));
           }),
       "where to listen (default: 127.0.0.1:8080); [::1]:8080 for IPv6, port 0 for any free one; "
       "may be given several times")  //
      ("control", po::value(&args.control)->value_name("PATH"),
       "path of the control socket (default: that of --name)")  //
      ("name", po::value(&args.name)->value_name("NAME"),
       "what graceful-ctl calls this server (default: http_server)")  //
      ("takeover", po::bool_switch(&args.takeover),
       "take over from the server that runs already")  //
      ("plain-acceptor", po::bool_switch(&args.plain_acceptor),
       "accept by means of a tcp::acceptor, as a server does that was converted")  //
      ("threads", number("--threads", args.threads, 1, most_threads),
       "how many threads serve (default: 1)")  //
      ("banner", po::value(&args.banner)->value_name("TEXT"),
       "what each response says (default: hello)")                                     //
      ("work", time("--work", args.work), "how long each request takes (default: 0)")  //
      ("idle-grace", time("--idle-grace", args.idle_grace),
       "how long an idle connection stays open in drain (default: 1s)")  //
      ("drain", time("--drain", args.drain),
       "how long connections have to end in drain, then they are cut (default: 5min)")  //
      ("ready-timeout", time("--ready-timeout", args.ready_timeout, std::chrono::milliseconds{1}),
       "how long a successor may take to get ready (default: 30s)")  //
      ("probation", time("--probation", args.probation),
       "how long this process can go on after a successor is ready (default: 5s)")  //
      ("max-draining", po::value(&args.max_draining)->value_name("N"),
       "generations that may drain at the same time (default: 8)")  //
      ("handoff-timeout",
       time("--handoff-timeout", args.handoff_timeout, std::chrono::milliseconds{1}),
       "how long a predecessor may take to answer (default: 10s)")  //
      ("help,h", po::bool_switch(&args.help), "print this and exit");
  return all;
}

}  // namespace

http_server_arguments parse_http_server_arguments(int argc, char** argv) {
  http_server_arguments args;
  try {
    namespace style = po::command_line_style;
    po::variables_map values;
    po::store(po::command_line_parser(argc, argv)
                  .options(options(args))
                  .positional({})
                  .style(style::unix_style & ~style::allow_guessing)
                  .run(),
              values);
    po::notify(values);
  } catch (const po::error& e) {
    throw usage_error{e.what()};
  }
  if (args.listen.empty()) args.listen.push_back(parse_endpoint("127.0.0.1:8080"));
  return args;
}

std::string http_server_help() {
  http_server_arguments ignored;
  std::ostringstream text;
  text << "Usage: http_server [OPTIONS]\n"
          "\n"
          "Answers HTTP requests, and can be upgraded by graceful-ctl while it does.\n"
          "\n"
       << options(ignored)
       << "\n"
          "TIME is 2s, 500ms, 1min 30s or 2h; a number alone is seconds.\n"
          "SIGTERM and SIGINT end it when the open connections are done, a second one at once;\n"
          "SIGUSR2 upgrades it.\n"
          "Exit codes: 0 done, 1 failed, 2 usage.\n";
  return text.str();
}
