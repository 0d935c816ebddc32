// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_DETAIL_SIGNAL_SOURCE_HPP
#define GRACEFUL_DETAIL_SIGNAL_SOURCE_HPP

#include <graceful/error.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <csignal>
#include <functional>
#include <memory>
#include <utility>

namespace graceful::detail {

/// The signals of `upgrader::handle_signals`, as the program's own Asio delivers them: whoever else
/// waits for one of them there hears of it too. Asio knows of its signal sets by a variable, which
/// the shared library does not share with the program, so this is compiled into the program.
class signal_source {
 public:
  explicit signal_source(boost::asio::io_context& context)
      : signals_{context, SIGTERM, SIGINT, SIGQUIT} {
    signals_.add(SIGUSR2);
  }
  signal_source(const signal_source&) = delete;
  signal_source& operator=(const signal_source&) = delete;
  virtual ~signal_source() = default;

  /// Calls `then` at the next signal, unless this ends before.
  virtual void wait(std::function<void(int)> then) {
    signals_.async_wait([then = std::move(then)](error_code ec, int number) {
      if (!ec) then(number);
    });
  }

  virtual void remove(int number) { signals_.remove(number); }

 private:
  boost::asio::signal_set signals_;
};

using signal_source_maker = std::unique_ptr<signal_source> (*)(boost::asio::io_context&);

inline std::unique_ptr<signal_source> make_signal_source(boost::asio::io_context& context) {
  return std::make_unique<signal_source>(context);
}

}  // namespace graceful::detail

#endif
