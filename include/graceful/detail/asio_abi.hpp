// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_DETAIL_ASIO_ABI_HPP
#define GRACEFUL_DETAIL_ASIO_ABI_HPP

#include <graceful/version.hpp>

#include <boost/asio/detail/config.hpp>
#include <boost/version.hpp>

// Accept loops on that back end do not always end with earlier versions of Boost.
#if defined(BOOST_ASIO_HAS_IO_URING_AS_DEFAULT) && BOOST_VERSION < 108200
#error "graceful: io_uring as Asio's default back end needs Boost 1.82; epoll does not"
#endif

namespace graceful::detail {

/// These settings determine the layout of Asio's types, so library and program must be built with
/// the same ones. The tag is part of the mangled name of the upgrader's constructor: a mismatch
/// does not link, and the linker's message names both.
///
/// The version is that of this library. A minor version before 1.0, and a major one from then on,
/// may change the interface between the headers and the library.
template <int GracefulMajor, int GracefulMinor, int BoostVersion, bool IoUring, bool IoUringDefault,
          bool Epoll, bool Threads, bool Rtti, bool TypeId, bool HandlerTracking,
          int RecyclingCacheSize>
struct asio_abi {};

inline constexpr int graceful_minor = GRACEFUL_VERSION_MAJOR > 0 ? 0 : GRACEFUL_VERSION_MINOR;

inline constexpr bool asio_io_uring =
#if defined(BOOST_ASIO_HAS_IO_URING)
    true;
#else
    false;
#endif

inline constexpr bool asio_io_uring_default =
#if defined(BOOST_ASIO_HAS_IO_URING_AS_DEFAULT)
    true;
#else
    false;
#endif

inline constexpr bool asio_epoll =
#if defined(BOOST_ASIO_HAS_EPOLL)
    true;
#else
    false;
#endif

inline constexpr bool asio_threads =
#if defined(BOOST_ASIO_HAS_THREADS)
    true;
#else
    false;
#endif

inline constexpr bool asio_handler_tracking =
#if defined(BOOST_ASIO_ENABLE_HANDLER_TRACKING) || defined(BOOST_ASIO_CUSTOM_HANDLER_TRACKING)
    true;
#else
    false;
#endif

inline constexpr bool compiler_rtti =
#if defined(__GXX_RTTI)
    true;
#else
    false;
#endif

inline constexpr bool asio_typeid =
#if defined(BOOST_ASIO_NO_TYPEID)
    false;
#else
    true;
#endif

inline constexpr int asio_recycling_cache_size =
#if defined(BOOST_ASIO_RECYCLING_ALLOCATOR_CACHE_SIZE)
    BOOST_ASIO_RECYCLING_ALLOCATOR_CACHE_SIZE;
#else
    2;
#endif

using this_asio_abi = asio_abi<GRACEFUL_VERSION_MAJOR, graceful_minor, BOOST_VERSION, asio_io_uring,
                               asio_io_uring_default, asio_epoll, asio_threads, compiler_rtti,
                               asio_typeid, asio_handler_tracking, asio_recycling_cache_size>;

}  // namespace graceful::detail

#endif
