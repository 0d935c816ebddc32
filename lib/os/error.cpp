// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include <graceful/error.hpp>

#include <boost/assert/source_location.hpp>

#include <string>
#include <utility>

namespace graceful {

namespace {

class category final : public boost::system::error_category {
 public:
  const char* name() const noexcept override { return "graceful"; }

  std::string message(int value) const override {
    switch (static_cast<errc>(value)) {
      case errc::already_running:
        return "another process serves under this control path; upgrade it with graceful-ctl, stop "
               "it, or ask for a takeover";
      case errc::busy:
        return "an upgrade is under way already, or the process drains; wait until it has ended";
      case errc::not_running:
        return "no server answers at this control path; start it, or name another";
      case errc::permission_denied:
        return "permission denied; use the user that the server runs as, or root";
      case errc::incompatible_version:
        return "predecessor and successor share no version of the handoff protocol; restart the "
               "server instead";
      case errc::not_on_offer:
        return "the successor asked for a socket that the predecessor does not have";
      case errc::not_expected:
        return "the upgrade that this process was started for is over; start another";
      case errc::protocol_violation:
        return "the peer does not keep to the protocol; check what runs at the control path";
      case errc::descriptors_lost:
        return "descriptors were lost on their way; raise the limit of open files";
      case errc::wrong_socket:
        return "a descriptor is not the listening socket it is said to be";
      case errc::timed_out:
        return "the peer did not answer in time; it may be stopped or overloaded";
      case errc::peer_gone:
        return "the peer closed the connection before the work was done; look at its log";
      case errc::upgrade_failed:
        return "the upgrade failed and the old process still serves; look at the successor's log";
      case errc::path_in_use:
        return "the control path exists and is no socket; remove it or choose another";
      case errc::path_too_long:
        return "the control path is too long for a Unix socket; choose one of at most 107 bytes";
      case errc::invalid_argument:
        return "an argument is not usable; see its documentation";
      case errc::not_ready:
        return "the server has not finished starting; try again when it has";
      case errc::no_upgrade:
        return "no upgrade is under way";
    }
    return "unknown error of graceful: " + std::to_string(value);
  }
};

}  // namespace

const boost::system::error_category& graceful_category() noexcept {
  static const category instance;
  return instance;
}

error::error(failure why)
    : boost::system::system_error{why.code}, message_{std::move(why.message)} {}

const char* error::what() const noexcept { return message_.c_str(); }

void throw_exception_from_error(const failure& why, const boost::source_location& /*where*/) {
  throw error{why};
}

}  // namespace graceful
