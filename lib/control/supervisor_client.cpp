// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include <graceful/supervisor_client.hpp>

#include "control/varlink_caller.hpp"
#include "wire/supervisor_messages.hpp"

#include <utility>

namespace graceful {

class supervisor_client::impl {
 public:
  varlink_caller supervisor;
};

supervisor_client::supervisor_client(std::unique_ptr<impl> p) noexcept : impl_{std::move(p)} {}
supervisor_client::supervisor_client(supervisor_client&&) noexcept = default;
supervisor_client& supervisor_client::operator=(supervisor_client&&) noexcept = default;
supervisor_client::~supervisor_client() = default;

result<supervisor_client> supervisor_client::connect(const std::string& path,
                                                     std::chrono::milliseconds deadline) {
  auto caller = varlink_caller::connect(path, deadline);
  if (!caller) return caller.error();
  return supervisor_client{std::make_unique<impl>(impl{std::move(*caller)})};
}

result<supervisor_status> supervisor_client::status() {
  return to_value(impl_->supervisor.ask(wire::supervisor_status_method),
                  wire::parse<supervisor_status>);
}

result<void> supervisor_client::reexec() { return impl_->supervisor.order(wire::reexec_method); }

std::string default_supervisor_path(std::string_view control_path) {
  return std::string{control_path} + ".supervisor";
}

}  // namespace graceful
