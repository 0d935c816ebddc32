// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include <graceful/supervisor_client.hpp>

#include "control/varlink_caller.hpp"
#include "os/text.hpp"
#include "wire/supervisor_messages.hpp"

#include <boost/json/serialize.hpp>

#include <utility>

namespace graceful {

class supervisor_client::impl : public varlink_caller {
 public:
  explicit impl(varlink_caller caller) : varlink_caller{std::move(caller)} {}
};

supervisor_client::supervisor_client(std::unique_ptr<impl> p) noexcept : impl_{std::move(p)} {}
supervisor_client::supervisor_client(supervisor_client&&) noexcept = default;
supervisor_client& supervisor_client::operator=(supervisor_client&&) noexcept = default;
supervisor_client::~supervisor_client() = default;

result<supervisor_client> supervisor_client::connect(const std::string& path,
                                                     std::chrono::milliseconds deadline) {
  auto caller = varlink_caller::connect(path, deadline);
  if (!caller) return caller.error();
  return supervisor_client{std::make_unique<impl>(std::move(*caller))};
}

result<supervisor_status> supervisor_client::status() {
  auto reply = impl_->ask(wire::supervisor_status_method);
  if (!reply) return reply.error();
  auto status = wire::parse<supervisor_status>(reply->parameters);
  if (!status) return garbled();
  for (auto* text : {&status->state, &status->version, &status->said, &status->last_failure}) {
    *text = printable(std::move(*text));
  }
  for (auto& socket : status->kept) {
    socket.name = printable(std::move(socket.name));
    socket.address = printable(std::move(socket.address));
  }
  status->json = boost::json::serialize(reply->parameters);
  return std::move(*status);
}

result<void> supervisor_client::reexec() { return impl_->order(wire::reexec_method); }

std::string default_supervisor_path(std::string_view control_path) {
  return std::string{control_path} + ".supervisor";
}

}  // namespace graceful
