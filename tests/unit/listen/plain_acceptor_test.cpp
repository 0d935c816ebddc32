// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include <graceful/detail/plain_acceptor.hpp>

#include "patience.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include <sys/mman.h>

using graceful::detail::plain_acceptor;
using tcp = boost::asio::ip::tcp;
namespace asio = boost::asio;
namespace loops = graceful::detail;

namespace {

/// An acceptor in memory of its own.
struct acceptor_place {
  acceptor_place()
      : memory{::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)} {
    REQUIRE(memory != MAP_FAILED);
    make();
  }
  ~acceptor_place() { unmap(); }

  void make() {
    acceptor = std::construct_at(static_cast<tcp::acceptor*>(memory), io,
                                 tcp::endpoint{asio::ip::address_v4::loopback(), 0});
  }
  void destroy() { std::destroy_at(std::exchange(acceptor, nullptr)); }
  void unmap() {
    if (acceptor != nullptr) destroy();
    if (memory != nullptr) ::munmap(std::exchange(memory, nullptr), size);
  }

  static constexpr std::size_t size = 4096;
  static_assert(sizeof(tcp::acceptor) <= size);

  asio::io_context io;
  void* memory;
  tcp::acceptor* acceptor = nullptr;
};

}  // namespace

TEST_CASE("an acceptor is where it was, whatever the application does with it in place") {
  acceptor_place place;
  const plain_acceptor plain{*place.acceptor, tcp::v4()};
  CHECK(plain.is_where_it_was());
  place.acceptor->non_blocking(true);
  place.acceptor->async_accept([](boost::system::error_code, const tcp::socket&) {});
  place.io.poll();
  CHECK(plain.is_where_it_was());
}

TEST_CASE("an acceptor that was moved is not where it was") {
  acceptor_place place;
  const plain_acceptor plain{*place.acceptor, tcp::v4()};
  tcp::acceptor elsewhere{std::move(*place.acceptor)};
  CHECK_FALSE(plain.is_where_it_was());
  SUBCASE("and another one takes its place") {
    place.destroy();
    place.make();
    CHECK_FALSE(plain.is_where_it_was());
  }
  SUBCASE("and its memory is unmapped") {
    place.unmap();
    CHECK_FALSE(plain.is_where_it_was());
  }
}

TEST_CASE("a wait on a plain acceptor can be aborted, and the acceptor goes on") {
  acceptor_place place;
  const plain_acceptor plain{*place.acceptor, tcp::v4()};
  std::optional<boost::system::error_code> how;
  place.acceptor->async_accept([&](boost::system::error_code ec, const tcp::socket&) { how = ec; });
  plain.cancel();
  place.io.run_for(graceful_test::patience);
  CHECK(how == asio::error::operation_aborted);
  CHECK(place.acceptor->is_open());
  CHECK_FALSE(loops::is_parked_for_good(*place.acceptor));
}

TEST_CASE("a loop that was ended waits for ever, and keeps no context running") {
  acceptor_place place;
  const plain_acceptor plain{*place.acceptor, tcp::v4()};
  int ends = 0;
  std::function<void()> accept = [&] {
    place.acceptor->async_accept([&](boost::system::error_code ec, const tcp::socket&) {
      if (ec) ++ends;
      accept();
    });
  };
  accept();
  place.io.poll();
  plain.end_loop();
  place.io.run_for(graceful_test::patience);
  CHECK(place.io.stopped());
  CHECK(ends == 1);
  CHECK(loops::is_parked_for_good(*place.acceptor));
}
