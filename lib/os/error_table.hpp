// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/errc.hpp>

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

namespace graceful {

/// An error: what it says to people, and which errors of our Varlink interfaces mean it. A name is
/// empty if the interface has none.
struct error_entry {
  errc value;
  std::string_view message;
  std::string_view control{};
  std::string_view handoff{};
  std::string_view supervisor{};
};

inline constexpr std::array<error_entry, 18> error_table{{
    {errc::already_running,
     "another process serves under this control path; upgrade it with graceful-ctl, stop it, or "
     "ask for a takeover"},
    {errc::busy, "an upgrade is under way already, or the process drains; wait until it has ended",
     "io.graceful.Control.Busy", "io.graceful.Handoff.Busy"},
    {errc::not_running, "no server answers at this control path; start it, or name another"},
    {errc::permission_denied, "permission denied; use the user that the server runs as, or root",
     "org.varlink.service.PermissionDenied"},
    {errc::incompatible_version,
     "predecessor and successor share no version of the handoff protocol; restart the server "
     "instead",
     "", "io.graceful.Handoff.IncompatibleVersion"},
    {errc::not_on_offer, "the successor asked for a socket that the predecessor does not have", "",
     "io.graceful.Handoff.NotOnOffer"},
    {errc::not_expected, "the upgrade that this process was started for is over; start another", "",
     "io.graceful.Handoff.NotExpected"},
    {errc::protocol_violation,
     "the peer does not keep to the protocol; check what runs at the control path", "",
     "io.graceful.Handoff.OutOfOrder"},
    {errc::descriptors_lost, "descriptors were lost on their way; raise the limit of open files"},
    {errc::wrong_socket, "a descriptor is not the listening socket it is said to be"},
    {errc::timed_out, "the peer did not answer in time; it may be stopped or overloaded"},
    {errc::peer_gone, "the peer closed the connection before the work was done; look at its log"},
    {errc::upgrade_failed,
     "the upgrade failed and the old process still serves; look at the successor's log",
     "io.graceful.Control.UpgradeFailed", "io.graceful.Handoff.Aborted",
     "io.graceful.Supervisor.ReexecFailed"},
    {errc::path_in_use, "the control path exists and is no socket; remove it or choose another"},
    {errc::path_too_long,
     "the control path is too long for a Unix socket; choose one of at most 107 bytes"},
    {errc::invalid_argument, "an argument is not usable; see its documentation"},
    {errc::not_ready, "the server has not finished starting; try again when it has",
     "io.graceful.Control.NotReady"},
    {errc::no_upgrade, "no upgrade is under way", "io.graceful.Control.NoUpgrade"},
}};

constexpr const error_entry& entry_of(errc value) {
  return error_table[static_cast<std::size_t>(value) - 1];  // the first is 1
}

/// What the error of a reply means; none if it is not an error of ours.
constexpr std::optional<errc> errc_of(std::string_view name) {
  for (const auto& each : error_table) {
    const bool means_it = name == each.control || name == each.handoff || name == each.supervisor;
    if (means_it && !name.empty()) return each.value;
  }
  return {};
}

}  // namespace graceful
