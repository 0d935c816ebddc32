// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "inventory.hpp"

#include "os/control_path.hpp"
#include "os/system_failure.hpp"

#include "listener_bench.hpp"
#include "temporary_directory.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

using namespace graceful_test;
using graceful::errc;
using graceful::inventory;
using graceful::listen_params;
using graceful::log_level;
using graceful::unique_fd;
namespace os = graceful::os;

namespace {

struct counted : graceful::accepting {
  void open() override { ++opened; }
  void pause() override { ++paused; }
  void stop() override { ++stopped; }
  bool adopt(const std::shared_ptr<const graceful::listening_socket>& socket) override {
    if (adopts) adopted.push_back(socket);
    return adopts;
  }
  void let_go(const std::shared_ptr<const graceful::listening_socket>& socket) override {
    left.push_back(socket->name);
  }
  int opened = 0;
  int paused = 0;
  int stopped = 0;
  bool adopts = true;
  inventory::names left;
  std::vector<std::shared_ptr<const graceful::listening_socket>> adopted;
};

struct stock : log_book {
  inventory items{log};

  auto listen(std::string_view name, const os::socket_address& at = v4("127.0.0.1"),
              const listen_params& params = {}) {
    return items.obtain(name, at, params, {});
  }

  /// Hands a fresh socket over, as a predecessor does; returns its cookie.
  std::uint64_t inherit(const std::string& name, const os::socket_address& at = v4("127.0.0.1"),
                        const listen_params& params = {}) {
    auto fd = os::listen_tcp(at, params).value();
    const auto cookie = os::cookie_of(fd.get());
    items.inherit(name, std::move(fd));
    return cookie;
  }
};

constexpr listen_params reuse_port{.reuse_port = true};

bool listens(const auto& obtained) {
  REQUIRE(obtained.has_value());
  return option_of((*obtained)->fd.get(), SOL_SOCKET, SO_ACCEPTCONN) == 1;
}

/// What a predecessor with a socket for each of four threads hands over.
struct inherited_group : stock {
  inherited_group() {
    const auto first = listen_anywhere(reuse_port);
    at = address_of(first);
    for (const char* name : {"http/0", "http/1", "http/2", "http/3"}) inherit(name, at, reuse_port);
  }
  os::socket_address at;
};

os::socket_address free_address() { return address_of(listen_anywhere()); }

std::uint64_t cookie_of(const auto& obtained) {
  REQUIRE(obtained.has_value());
  return os::cookie_of((*obtained)->fd.get());
}

/// A listen() that has reserved its name and waits for its address, which somebody has.
struct delayed_listen {
  delayed_listen() {
    items.inherit("web", os::listen_tcp(v4("127.0.0.2"), {}).value());
    obtained_ = std::async(std::launch::async, [this] {
      return items.obtain("web", at,
                          {.bind_attempts = 20, .bind_backoff = std::chrono::milliseconds{1}}, {});
    });
    REQUIRE(waits_.get_future().wait_for(std::chrono::seconds{10}) == std::future_status::ready);
  }

  /// Frees the address.
  auto result() {
    holder_.reset();
    return obtained_.get();
  }

 private:
  std::promise<void> waits_;
  graceful::log log_{[this](log_level, std::string_view text) {
    if (text.find("bound afresh") != text.npos) waits_.set_value();
  }};
  unique_fd holder_ = listen_anywhere();

 public:
  const os::socket_address at = address_of(holder_);
  inventory items{log_};

 private:
  std::future<graceful::result<std::shared_ptr<const graceful::listening_socket>>> obtained_;
};

}  // namespace

TEST_CASE("a name has 1 to 255 characters and does not start with '@'") {
  stock s;
  for (const std::string& bad : {std::string{}, std::string{"@web"}, std::string{"@"},
                                 std::string(256, 'x'), std::string{"a\0b", 3}}) {
    CAPTURE(bad);
    const auto refused = s.listen(bad);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code == errc::invalid_argument);
  }
  CHECK(s.listen(std::string(255, 'x')).has_value());
  CHECK(s.listen("a@b é").has_value());
}

TEST_CASE("a name that JSON cannot carry is refused, because no successor could get it") {
  stock s;
  for (const char* bad : {"caf\xe9", "\xff", "\xc3", "\xed\xa0\x80"}) {
    const auto refused = s.listen(bad);
    CHECK_FALSE(refused.has_value());
  }
}

TEST_CASE("a name is taken once") {
  stock s;
  const auto first = s.listen("web");
  REQUIRE(first.has_value());
  const auto second = s.listen("web");
  REQUIRE_FALSE(second.has_value());
  CHECK(second.error().code == errc::invalid_argument);
  CHECK(second.error().message.find("'web'") != std::string::npos);
  CHECK(s.items.sockets().size() == 1);
}

TEST_CASE("a name is free again when its socket could not be made, or was removed") {
  stock s;
  const auto holder = listen_anywhere();
  CHECK_FALSE(s.listen("web", address_of(holder), {.bind_attempts = 1}).has_value());
  CHECK(s.items.sockets().empty());
  CHECK(s.listen("web").has_value());
  s.items.remove("web", nullptr);
  CHECK(s.items.sockets().empty());
  CHECK(s.listen("web").has_value());
}

TEST_CASE("what was handed over is adopted by its name") {
  stock s;
  const auto cookie = s.inherit("web");
  s.inherit("admin");
  CHECK(cookie_of(s.listen("web")) == cookie);
}

TEST_CASE("an adopted socket is non-blocking, and knows its address") {
  stock s;
  s.inherit("web");
  const auto socket = s.listen("web").value();
  CHECK(is_nonblocking(socket->fd.get()));
  CHECK(socket->name == "web");
  CHECK(socket->address.port() != 0);
}

TEST_CASE("what was handed over under another name is adopted by its address, and logged") {
  stock s;
  const auto at = free_address();
  const auto cookie = s.inherit("http", at);
  CHECK(cookie_of(s.listen("web", at)) == cookie);
  CHECK(s.mentions(log_level::info, "'http'"));
}

TEST_CASE("names that were swapped get the sockets of their addresses") {
  stock s;
  const auto one = free_address();
  const auto two = free_address();
  const auto cookie_one = s.inherit("a", one);
  const auto cookie_two = s.inherit("b", two);
  CHECK(cookie_of(s.listen("a", two)) == cookie_two);
  CHECK(cookie_of(s.listen("b", one)) == cookie_one);
}

TEST_CASE("port 0 adopts the socket of the name, and of no other") {
  stock s;
  const auto cookie = s.inherit("web");
  CHECK(cookie_of(s.listen("other")) != cookie);
  CHECK(cookie_of(s.listen("web")) == cookie);
}

TEST_CASE("a name whose address differs is bound afresh, and the log says so") {
  stock s;
  const auto cookie = s.inherit("web");
  const auto socket = s.listen("web", v4("127.0.0.2"));
  CHECK(cookie_of(socket) != cookie);
  CHECK((*socket)->address.to_string().starts_with("127.0.0.2:"));
  CHECK(s.mentions(log_level::warning, "bound afresh"));
}

TEST_CASE("each of several sockets on one address is adopted by its own name") {
  stock s;
  const auto first = listen_anywhere({.reuse_port = true});
  const auto at = address_of(first);
  const auto a = s.inherit("a", at, {.reuse_port = true});
  const auto b = s.inherit("b", at, {.reuse_port = true});
  CHECK(cookie_of(s.listen("b", at)) == b);
  CHECK(cookie_of(s.listen("a", at)) == a);
}

TEST_CASE("what was handed over and is no listening TCP socket is refused, with its name") {
  stock s;
  temporary_directory d;
  s.items.inherit("web", os::bind_control(d.path("s")).value());
  const auto refused = s.listen("web");
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == errc::wrong_socket);
  CHECK(refused.error().message == "listener 'web': what was passed is no TCP socket");
}

TEST_CASE("the caller's own socket is kept, unless one was handed over") {
  stock s;
  auto own = listen_anywhere();
  const auto cookie = os::cookie_of(own.get());
  const auto at = address_of(own);
  CHECK(cookie_of(s.items.obtain("own", at, {}, std::move(own))) == cookie);
  const auto inherited = s.inherit("web");
  CHECK(cookie_of(s.items.obtain("web", v4("127.0.0.1"), {}, listen_anywhere())) == inherited);
}

TEST_CASE("what nobody asked for is closed when all is opened, and the log says so") {
  stock s;
  s.inherit("web");
  auto unclaimed = listen_anywhere();
  const auto at = address_of(unclaimed);
  const int number = unclaimed.get();
  s.items.inherit("old", std::move(unclaimed));
  REQUIRE(s.listen("web").has_value());
  CHECK(is_open_descriptor(number));
  s.items.open();
  CHECK_FALSE(is_open_descriptor(number));
  CHECK_THROWS(connect_to(at));
  CHECK(s.mentions(log_level::warning, "'old' (" + at.to_string() + ")"));
  CHECK_FALSE(s.mentions(log_level::warning, "'web'"));
}

TEST_CASE("the backlog of an adopted socket is the predecessor's until all is opened") {
  stock s;
  s.inherit("web", v4("127.0.0.1"), {.backlog = 5});
  const auto socket = s.listen("web", v4("127.0.0.1"), {.backlog = 9}).value();
  CHECK(os::accept_queue_of(socket->fd.get()).limit == 5);
  s.items.open();
  CHECK(os::accept_queue_of(socket->fd.get()).limit == 9);
}

TEST_CASE("who accepts is opened once, when all is opened or later") {
  stock s;
  const auto early = std::make_shared<counted>();
  const auto late = std::make_shared<counted>();
  REQUIRE(s.listen("early").has_value());
  s.items.attach("early", early);
  CHECK(early->opened == 0);
  s.items.open();
  s.items.open();
  CHECK(early->opened == 1);
  REQUIRE(s.listen("late").has_value());
  s.items.attach("late", late);
  CHECK(late->opened == 1);
}

TEST_CASE("stopping stops everybody, and lets go of all sockets") {
  stock s;
  const auto user = std::make_shared<counted>();
  auto socket = s.listen("web").value();
  const int number = socket->fd.get();
  s.items.attach("web", user);
  auto inherited = listen_anywhere();
  const int unclaimed = inherited.get();
  s.items.inherit("old", std::move(inherited));
  s.items.stop();
  CHECK(user->stopped == 1);
  CHECK(s.items.sockets().empty());
  CHECK(is_open_descriptor(number));
  socket.reset();
  CHECK_FALSE(is_open_descriptor(number));
  CHECK_FALSE(is_open_descriptor(unclaimed));
}

TEST_CASE("at the end of a process only what a manager keeps is stopped before the last call") {
  stock s;
  const auto kept = std::make_shared<counted>();
  const auto own = std::make_shared<counted>();
  const auto mixed = std::make_shared<counted>();
  auto socket = s.listen("kept").value();
  const int number = socket->fd.get();
  s.items.attach("kept", kept);
  REQUIRE(s.listen("own").has_value());
  s.items.attach("own", own);
  for (const char* name : {"a", "b", "c"}) {
    REQUIRE(s.listen(name).has_value());
    s.items.attach(name, mixed);
  }
  s.items.open();
  s.items.keep({"kept", "b"});
  s.items.let_go_kept();
  CHECK(kept->stopped == 1);
  CHECK(kept->left.empty());
  CHECK(own->stopped == 0);
  CHECK(own->left.empty());
  CHECK(mixed->stopped == 0);
  CHECK(mixed->left == inventory::names{"b"});
  CHECK(s.items.sockets().size() == 3);
  socket.reset();
  CHECK_FALSE(is_open_descriptor(number));
  // It would not be sealed, nor served.
  CHECK(s.listen("late").error().code == errc::busy);
  s.items.stop();
  CHECK(mixed->stopped >= 1);
}

TEST_CASE("who accepts only what a manager keeps is stopped, however many those are") {
  stock s;
  const auto user = std::make_shared<counted>();
  for (const char* name : {"a", "b"}) {
    REQUIRE(s.listen(name).has_value());
    s.items.attach(name, user);
  }
  s.items.open();
  s.items.keep({"a", "b"});
  s.items.let_go_kept();
  CHECK(user->stopped >= 1);
  CHECK(user->left.empty());
}

TEST_CASE("nobody is forgotten in the queue of what a manager keeps, or kept") {
  stock s;
  const auto socket = s.listen("web").value();
  s.items.open();
  s.items.keep({"web"});
  CHECK(s.items.queues_empty());
  const auto client = connect_to(socket->address);
  CHECK(eventually([&] { return !s.items.queues_empty(); }));
}

TEST_CASE("after a stop nobody listens and nobody accepts") {
  stock s;
  s.items.stop();
  const auto refused = s.listen("web");
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == errc::busy);
  const auto user = std::make_shared<counted>();
  s.items.attach("web", user);
  CHECK(user->opened == 0);
  CHECK(user->stopped == 1);
  s.items.open();
  CHECK(user->opened == 0);
}

TEST_CASE("while the sockets are handed over none is added, and afterwards they can be again") {
  stock s;
  REQUIRE(s.listen("web").has_value());
  const auto frozen = s.items.freeze();
  REQUIRE(frozen.size() == 1);
  CHECK(frozen.front()->name == "web");
  const auto refused = s.listen("late");
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == errc::busy);
  CHECK(s.items.sockets().size() == 1);
  s.items.thaw();
  CHECK(s.listen("late").has_value());
  CHECK(s.items.freeze().size() == 2);
}

TEST_CASE("a listen that waits for its address while the sockets are handed over keeps nothing") {
  delayed_listen d;
  CHECK(d.items.freeze().empty());
  CHECK(d.result().error().code == errc::busy);
  d.items.thaw();
  CHECK(d.items.obtain("web", d.at, {}, {}).has_value());
}

TEST_CASE("the log is written without the lock: it may ask what is listening") {
  inventory* asked = nullptr;
  int lines = 0;
  graceful::log log{[&](log_level, std::string_view) {
    (void)asked->sockets();
    ++lines;
  }};
  inventory items{log};
  asked = &items;
  items.inherit("moved", os::listen_tcp(v4("127.0.0.2"), {}).value());
  auto first = listen_anywhere();
  const auto at = address_of(first);
  items.inherit("old", std::move(first));
  CHECK(items.obtain("new", at, {}, {}).has_value());
  CHECK(items.obtain("moved", v4("127.0.0.1"), {}, {}).has_value());
  items.open();
  CHECK(lines == 3);
}

TEST_CASE("what is paused can be resumed, or stopped, and is not opened by being attached") {
  stock s;
  const auto user = std::make_shared<counted>();
  REQUIRE(s.listen("web").has_value());
  s.items.attach("web", user);
  s.items.pause({});  // nothing is open yet
  s.items.resume();
  CHECK(user->paused == 0);
  s.items.open();
  s.items.pause({});
  s.items.pause({});
  CHECK(user->paused == 1);
  CHECK(s.items.sockets().size() == 1);
  s.items.resume();
  s.items.resume();
  CHECK(user->opened == 2);
  s.items.pause({});
  s.items.stop();
  s.items.resume();
  CHECK(user->stopped == 1);
  CHECK(user->opened == 2);
}

TEST_CASE("what the successor does not take goes on, and is left when the rest is let go") {
  stock s;
  const auto taken = std::make_shared<counted>();
  const auto unwanted = std::make_shared<counted>();
  REQUIRE(s.listen("taken").has_value());
  REQUIRE(s.listen("unwanted").has_value());
  s.items.attach("taken", taken);
  s.items.attach("unwanted", unwanted);
  s.items.open();
  s.items.pause({"unwanted", "no such name"});
  CHECK(taken->paused == 1);
  CHECK(unwanted->paused == 0);
  CHECK(s.items.let_go({"unwanted"}));
  CHECK(taken->stopped == 1);
  CHECK(unwanted->stopped == 0);
  REQUIRE(s.items.sockets().size() == 1);
  CHECK(s.items.sockets().front()->name == "unwanted");
  CHECK_FALSE(s.items.let_go({}));
  CHECK(unwanted->stopped == 1);
}

TEST_CASE("what was inherited and not asked for is known, and what was bound here") {
  stock s;
  auto first = listen_anywhere();
  const auto at = address_of(first);
  s.items.inherit("asked", std::move(first));
  s.items.inherit("unasked", listen_anywhere());
  REQUIRE(s.items.obtain("asked", at, {}, {}).has_value());
  REQUIRE(s.listen("fresh").has_value());
  CHECK(s.items.unwanted() == inventory::names{"unasked"});
  const auto late = s.listen("unasked");  // not what was inherited: that is spoken for
  REQUIRE(late.has_value());
  CHECK_FALSE((*late)->adopted);
  s.items.remove("unasked", nullptr);
  CHECK(s.items.own() == inventory::names{"fresh"});
}

TEST_CASE("who is attached to what is paused is paused too") {
  stock s;
  REQUIRE(s.listen("web").has_value());
  s.items.open();
  s.items.pause({});
  const auto user = std::make_shared<counted>();
  s.items.attach("web", user);
  CHECK(user->paused == 1);
  CHECK(user->opened == 0);
}

TEST_CASE("a resumed socket has its own backlog again, whatever the successor chose") {
  stock s;
  const auto socket = s.listen("web", v4("127.0.0.1"), {.backlog = 7}).value();
  s.items.open();
  s.items.pause({});
  REQUIRE(::listen(socket->fd.get(), 99) == 0);
  s.items.resume();
  CHECK(os::accept_queue_of(socket->fd.get()).limit == 7);
}

TEST_CASE("who is attached to a name that was removed is stopped") {
  stock s;
  REQUIRE(s.listen("web").has_value());
  s.items.remove("web", nullptr);
  s.items.remove("web", nullptr);
  const auto user = std::make_shared<counted>();
  s.items.attach("web", user);
  CHECK(user->stopped == 1);
}

TEST_CASE("a listen that waits for its address while all is stopped keeps nothing") {
  delayed_listen d;
  d.items.stop();
  CHECK_FALSE(d.result().has_value());
  CHECK(d.items.sockets().empty());
}

TEST_CASE("what was not asked for goes to those who accept on its address, evenly") {
  inherited_group s;
  const auto one = std::make_shared<counted>();
  const auto two = std::make_shared<counted>();
  REQUIRE(s.listen("http/0", s.at).has_value());
  s.items.attach("http/0", one);
  REQUIRE(s.listen("http/1", s.at).has_value());
  s.items.attach("http/1", two);
  s.items.open();
  REQUIRE(one->adopted.size() == 1);
  REQUIRE(two->adopted.size() == 1);
  CHECK(s.items.sockets().size() == 4);
  CHECK(s.items.find("http/2") != nullptr);
  CHECK(s.items.find("http/3") != nullptr);
  CHECK(s.mentions(log_level::info, "who listens there accepts from it too"));
  CHECK(one->opened >= 1);
}

TEST_CASE("what was not asked for has the backlog of those who accept on its address") {
  inherited_group s;
  REQUIRE(s.listen("http", s.at, {.backlog = 9}).has_value());
  s.items.attach("http", std::make_shared<counted>());
  s.items.open();
  REQUIRE(s.items.sockets().size() == 4);
  for (const auto& socket : s.items.sockets()) {
    CHECK(os::accept_queue_of(socket->fd.get()).limit == 9);
  }
}

TEST_CASE("what was not asked for gets another name if its own is taken") {
  stock s;
  const auto first = listen_anywhere(reuse_port);
  s.inherit("a", address_of(first), reuse_port);
  s.inherit("b", address_of(first), reuse_port);
  REQUIRE(s.listen("b", v4("127.0.0.2")).has_value());  // its own name, elsewhere
  REQUIRE(s.listen("a", address_of(first)).has_value());
  s.items.attach("a", std::make_shared<counted>());
  s.items.open();
  CHECK(s.items.find("b/0") != nullptr);
}

TEST_CASE("what was not asked for is closed if who accepts on its address cannot take it") {
  inherited_group s;
  const auto user = std::make_shared<counted>();
  user->adopts = false;
  REQUIRE(s.listen("http", s.at).has_value());
  s.items.attach("http", user);
  s.items.open();
  CHECK(s.items.sockets().size() == 1);
  CHECK(s.mentions(log_level::warning, "was handed over but not asked for: closed"));
}

TEST_CASE("whoever closes lets go of all its sockets") {
  inherited_group s;
  const auto user = std::make_shared<counted>();
  REQUIRE(s.listen("http", s.at).has_value());
  s.items.attach("http", user);
  s.items.open();
  REQUIRE(s.items.sockets().size() == 4);
  s.items.remove("http", user.get());
  CHECK(s.items.sockets().empty());
}

TEST_CASE("the first of a group is bound alone: a stranger's group is not joined") {
  stock s;
  const auto stranger = listen_anywhere(reuse_port);
  const auto refused = s.items.obtain_first("http/0", address_of(stranger), {.bind_attempts = 1});
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == os::system_code(EADDRINUSE));
}

TEST_CASE("a group that is bound afresh listens at once, on one address") {
  stock s;
  const auto first = s.items.obtain_first("http/0", v4("127.0.0.1"), {});
  REQUIRE(listens(first));
  const auto second = s.items.obtain_beside(**first, "http/1", {});
  REQUIRE(listens(second));
  CHECK((*second)->address.to_string() == (*first)->address.to_string());
  CHECK(cookie_of(second) != cookie_of(first));
}

TEST_CASE("what is bound beside what was inherited is no part of anything until the commit") {
  stock s;
  const auto cookie = s.inherit("http");
  const auto first = s.items.obtain_first("http/0", v4("127.0.0.1"), {});
  CHECK(cookie_of(first) == cookie);
  const auto late = s.items.obtain_beside(**first, "http/1", {.backlog = 7});
  const auto user = std::make_shared<counted>();
  s.items.attach("http/1", user);
  s.items.open();
  CHECK(user->opened == 1);
  CHECK_FALSE(listens(late));
  CHECK(user->adopted.empty());
  CHECK(s.items.sockets().size() == 1);
  s.items.commit();
  CHECK(listens(late));
  CHECK(os::accept_queue_of((*late)->fd.get()).limit == 7);
  REQUIRE(user->adopted.size() == 1);
  CHECK(s.items.sockets().size() == 2);
  CHECK(listens(s.items.obtain_beside(**first, "http/2", {})));
}

TEST_CASE("a group on an address that nobody handed over listens at once, also in a successor") {
  stock s;
  s.inherit("web");
  const auto first = s.items.obtain_first("http/0", v4("127.0.0.1"), {});
  REQUIRE(listens(first));
  CHECK(listens(s.items.obtain_beside(**first, "http/1", {})));
}

TEST_CASE("who is attached after the commit gets its socket then") {
  stock s;
  s.inherit("http");
  const auto first = s.items.obtain_first("http/0", v4("127.0.0.1"), {});
  const auto late = s.items.obtain_beside(**first, "http/1", {});
  s.items.open();
  s.items.commit();
  CHECK(listens(late));
  const auto user = std::make_shared<counted>();
  s.items.attach("http/1", user);
  CHECK(user->adopted.size() == 1);
  CHECK(user->opened == 1);
}

TEST_CASE("what was closed before the commit does not listen after it") {
  stock s;
  s.inherit("http");
  const auto first = s.items.obtain_first("http/0", v4("127.0.0.1"), {});
  const auto late = s.items.obtain_beside(**first, "http/1", {});
  const auto user = std::make_shared<counted>();
  s.items.attach("http/1", user);
  s.items.open();
  s.items.remove("http/1", user.get());
  s.items.commit();
  CHECK_FALSE(listens(late));
  CHECK(user->adopted.empty());
}

TEST_CASE("who cannot take its socket at the commit is stopped, and the others serve") {
  stock s;
  s.inherit("http");
  const auto first = s.items.obtain_first("http/0", v4("127.0.0.1"), {});
  REQUIRE(s.items.obtain_beside(**first, "http/1", {}).has_value());
  const auto user = std::make_shared<counted>();
  user->adopts = false;
  s.items.attach("http/1", user);
  s.items.open();
  s.items.commit();
  CHECK(user->stopped == 1);
  CHECK(s.items.sockets().size() == 1);
  CHECK(s.mentions(log_level::warning, "the others on this address serve all the same"));
}

TEST_CASE("with port 0 a group adopts what was alone, and what is alone one of a group") {
  stock alone;
  const auto cookie = alone.inherit("http");
  CHECK(cookie_of(alone.items.obtain_first("http/0", v4("127.0.0.1"), {})) == cookie);
  inherited_group group;
  CHECK((group.listen("http").value())->address.to_string() == group.at.to_string());
}

TEST_CASE("with port 0 a name that ends in a number is no group by that") {
  stock s;
  const auto cookie = s.inherit("web/1");
  CHECK(cookie_of(s.listen("web/2")) != cookie);
  CHECK(cookie_of(s.listen("web/1")) == cookie);
}
