// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include <graceful/graceful.h>
#include <graceful/native.hpp>
#include <graceful/version.hpp>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstring>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <sys/eventfd.h>
#include <system_error>
#include <unistd.h>

namespace graceful {

/// What waits for graceful_dispatch. Thread-safe.
class job_queue {
 public:
  using job = std::function<void()>;

  void push(job next) {
    const std::lock_guard lock{mutex_};
    if (closed_) return;
    jobs_.push_back(std::move(next));
    const std::uint64_t one = 1;
    (void)!::write(readable_.get(), &one, sizeof one);
  }

  /// A job may add others: these wait for the next time.
  void run() {
    std::vector<job> now;
    {
      const std::lock_guard lock{mutex_};
      std::swap(now, jobs_);
      std::uint64_t count = 0;
      (void)!::read(readable_.get(), &count, sizeof count);
    }
    for (const auto& each : now) {
      try {
        each();
      } catch (...) {  // the application's own functions are C
      }
    }
  }

  /// Jobs refer to what posts them, and so to this queue.
  void close() {
    std::vector<job> dropped;
    const std::lock_guard lock{mutex_};
    closed_ = true;
    std::swap(dropped, jobs_);
  }

  [[nodiscard]] int descriptor() const { return readable_.get(); }

  static std::shared_ptr<job_queue> make() {
    auto queue = std::make_shared<job_queue>();
    queue->readable_ = unique_fd{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    if (!queue->readable_) throw std::system_error{errno, std::system_category(), "eventfd"};
    return queue;
  }

 private:
  std::mutex mutex_;
  std::vector<job> jobs_;
  bool closed_ = false;
  unique_fd readable_;
};

}  // namespace graceful

struct graceful_upgrader {
  graceful_upgrader(graceful::options opts, graceful::native::hooks application,
                    std::shared_ptr<graceful::job_queue> jobs)
      : jobs{std::move(jobs)}, body{std::move(opts), std::move(application)} {}
  const std::shared_ptr<graceful::job_queue> jobs;  // null: it does not dispatch
  graceful::native::upgrader body;
};

struct graceful_connection {
  graceful::native::connection body;
};

namespace {

using graceful::errc;
namespace native = graceful::native;

static_assert(GRACEFUL_ALREADY_RUNNING == static_cast<int>(errc::already_running));
static_assert(GRACEFUL_NO_UPGRADE == static_cast<int>(errc::no_upgrade));
static_assert(GRACEFUL_LOG_INFO == static_cast<int>(graceful::log_level::info));
static_assert(GRACEFUL_DEADLINE == static_cast<int>(graceful::drain_stage::deadline));

/// Cuts a text that is too long between two characters.
void copy(const std::string& text, char* to, std::size_t size) {
  auto length = std::min(text.size(), size - 1);
  const auto continues = [&](std::size_t at) {
    return (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U;
  };
  if (length < text.size()) {
    while (length > 0 && continues(length)) --length;
  }
  std::memcpy(to, text.data(), length);
  to[length] = '\0';
}

int fail(graceful_error* error, int code, const std::string& message) {
  if (error != nullptr) {
    error->code = code;
    copy(message, error->message, sizeof error->message);
  }
  return code;
}

int code_of(const boost::system::error_code& ec) {
  if (ec.category() == graceful::graceful_category()) return ec.value();
  const bool is_errno = ec.category() == boost::system::system_category() ||
                        ec.category() == boost::system::generic_category();
  return is_errno && ec.value() > 0 ? -ec.value() : -EIO;
}

/// No exception may reach C.
template <class F>
int guarded(graceful_error* error, F&& f) noexcept {
  try {
    f();
    return 0;
  } catch (const boost::system::system_error& e) {
    return fail(error, code_of(e.code()), e.what());
  } catch (const std::system_error& e) {
    return fail(error, e.code().value() > 0 ? -e.code().value() : -EIO, e.what());
  } catch (const std::bad_alloc&) {
    return fail(error, -ENOMEM, "there is no memory");
  } catch (const std::exception& e) {
    return fail(error, -EIO, e.what());
  } catch (...) {
    return fail(error, -EIO, "an exception of unknown type");
  }
}

int invalid(graceful_error* error, const char* what) {
  return fail(error, GRACEFUL_INVALID_ARGUMENT, what);
}

/// Members that the caller's version of the header does not have are as in `initial`. False if the
/// caller has not begun with the INIT macro, or has members that this library does not know.
template <class T>
bool complete(const T* given, T& initial) {
  if (given == nullptr) return true;
  if (given->size < offsetof(T, data) || given->size > sizeof(T)) return false;
  std::memcpy(&initial, given, given->size);
  return true;
}

void set(std::chrono::milliseconds& to, std::int64_t from) {
  if (from >= 0) to = std::chrono::milliseconds{from};
}

std::function<void()> bound(void (*function)(void*), void* data) {
  if (function == nullptr) return {};
  return [function, data] { function(data); };
}

std::function<void()> resumes(const graceful_listener& c) {
  if (c.on_resume == nullptr) return {};
  return [on_resume = c.on_resume, data = c.data] {
    if (const int status = on_resume(data); status != 0) {
      throw std::runtime_error{"it returned " + std::to_string(status)};
    }
  };
}

graceful::options options_of(const graceful_options& c) {
  graceful::options o;
  if (c.name != nullptr) o.name = c.name;
  if (c.control_path != nullptr) o.control_path = c.control_path;
  set(o.ready_timeout, c.ready_timeout_ms);
  set(o.probation, c.probation_ms);
  set(o.drain_timeout, c.drain_timeout_ms);
  set(o.idle_grace, c.idle_grace_ms);
  if (c.log != nullptr) {
    o.log = [log = c.log, data = c.data](graceful::log_level level, std::string_view text) {
      log(data, static_cast<int>(level), std::string{text}.c_str());
    };
  }
  return o;
}

/// Runs on the application's loop.
void run_task(void* task) {
  const std::unique_ptr<std::function<void()>> owned{static_cast<std::function<void()>*>(task)};
  (*owned)();
}

native::hooks hooks_of(const graceful_options& c,
                       const std::shared_ptr<graceful::job_queue>& jobs) {
  native::hooks h{
      {}, bound(c.on_commit, c.data), bound(c.on_drain, c.data), bound(c.on_end, c.data)};
  if (jobs) {
    h.post = [jobs](std::function<void()> task) { jobs->push(std::move(task)); };
  } else if (c.post != nullptr) {
    h.post = [post = c.post, data = c.data](std::function<void()> task) {
      post(data, run_task, std::make_unique<std::function<void()>>(std::move(task)).release());
    };
  }
  return h;
}

}  // namespace

extern "C" {

const char* graceful_version(void) { return GRACEFUL_VERSION_STRING; }

int graceful_new(const graceful_options* options, graceful_upgrader** upgrader,
                 graceful_error* error) {
  if (options == nullptr || upgrader == nullptr) {
    return invalid(error, "graceful_new needs options, and a place for the upgrader");
  }
  *upgrader = nullptr;
  graceful_options c = GRACEFUL_OPTIONS_INIT;
  if (!complete(options, c)) {
    return invalid(error,
                   "graceful_options::size is not that of a known version: begin with "
                   "GRACEFUL_OPTIONS_INIT, and see graceful_version()");
  }
  if (c.dispatch != 0 && c.post != nullptr) {
    return invalid(error, "graceful_options has both dispatch and post: give one of them");
  }
  return guarded(error, [&] {
    const auto jobs = c.dispatch != 0 ? graceful::job_queue::make() : nullptr;
    *upgrader = new graceful_upgrader{options_of(c), hooks_of(c, jobs), jobs};
  });
}

int graceful_descriptor(const graceful_upgrader* upgrader) {
  return upgrader != nullptr && upgrader->jobs ? upgrader->jobs->descriptor() : -1;
}

/// A job may free the upgrader.
void graceful_dispatch(graceful_upgrader* upgrader) {
  if (upgrader == nullptr) return;
  const auto jobs = upgrader->jobs;
  if (jobs) (void)guarded(nullptr, [&] { jobs->run(); });
}

void graceful_free(graceful_upgrader* upgrader) {
  if (upgrader == nullptr) return;
  const auto jobs = upgrader->jobs;
  delete upgrader;
  if (jobs) jobs->close();
}

int graceful_listen(graceful_upgrader* upgrader, const char* name, const char* address,
                    const graceful_listener* listener, int* descriptor, graceful_error* error) {
  if (upgrader == nullptr || name == nullptr || address == nullptr || descriptor == nullptr) {
    return invalid(error,
                   "graceful_listen needs an upgrader, a name, an address, and a place for the "
                   "descriptor");
  }
  *descriptor = -1;
  graceful_listener c = GRACEFUL_LISTENER_INIT;
  if (!complete(listener, c)) {
    return invalid(error,
                   "graceful_listener::size is not that of a known version: begin with "
                   "GRACEFUL_LISTENER_INIT, and see graceful_version()");
  }
  return guarded(error, [&] {
    graceful::listen_params params;
    if (c.backlog > 0) params.backlog = c.backlog;
    params.blocking = c.blocking != 0;
    *descriptor =
        upgrader->body
            .listen(name, address,
                    {resumes(c), bound(c.on_pause, c.data), bound(c.on_stop, c.data)}, params)
            .release();
  });
}

size_t graceful_address(const graceful_upgrader* upgrader, const char* name, char* text,
                        size_t size) {
  std::string address;
  if (upgrader == nullptr || name == nullptr) return 0;
  if (guarded(nullptr, [&] { address = upgrader->body.address(name); }) != 0) return 0;
  if (text != nullptr && size > 0) copy(address, text, size);
  return address.size();
}

int graceful_withdraw(graceful_upgrader* upgrader, const char* name) {
  bool was_there = false;
  if (upgrader == nullptr || name == nullptr) return 0;
  (void)guarded(nullptr, [&] { was_there = upgrader->body.withdraw(name); });
  return was_there ? 1 : 0;
}

int graceful_ready(graceful_upgrader* upgrader, graceful_error* error) {
  if (upgrader == nullptr) return invalid(error, "graceful_ready needs an upgrader");
  return guarded(error, [&] { upgrader->body.ready(); });
}

int graceful_handle_signals(graceful_upgrader* upgrader, graceful_error* error) {
  if (upgrader == nullptr) return invalid(error, "graceful_handle_signals needs an upgrader");
  return guarded(error, [&] { upgrader->body.handle_signals(); });
}

void graceful_drain(graceful_upgrader* upgrader) {
  if (upgrader != nullptr) (void)guarded(nullptr, [&] { upgrader->body.drain(); });
}

void graceful_drain_now(graceful_upgrader* upgrader) {
  if (upgrader != nullptr) (void)guarded(nullptr, [&] { upgrader->body.drain_now(); });
}

int graceful_draining(const graceful_upgrader* upgrader) {
  return upgrader != nullptr && upgrader->body.draining() ? 1 : 0;
}

uint64_t graceful_generation(const graceful_upgrader* upgrader) {
  return upgrader == nullptr ? 0 : upgrader->body.generation();
}

void graceful_wait_end(graceful_upgrader* upgrader) {
  if (upgrader != nullptr) (void)guarded(nullptr, [&] { upgrader->body.wait_end(); });
}

int graceful_track(graceful_upgrader* upgrader, void (*on_stage)(void* data, int stage), void* data,
                   graceful_connection** connection, graceful_error* error) {
  if (upgrader == nullptr || connection == nullptr) {
    return invalid(error, "graceful_track needs an upgrader, and a place for the connection");
  }
  *connection = nullptr;
  return guarded(error, [&] {
    std::function<void(graceful::drain_stage)> handler;
    if (on_stage != nullptr) {
      handler = [on_stage, data](graceful::drain_stage stage) {
        on_stage(data, static_cast<int>(stage));
      };
    }
    *connection = new graceful_connection{upgrader->body.track(std::move(handler))};
  });
}

void graceful_connection_idle(graceful_connection* connection, int is_idle) {
  if (connection == nullptr) return;
  (void)guarded(nullptr, [&] { connection->body.idle(is_idle != 0); });
}

void graceful_connection_release(graceful_connection* connection) { delete connection; }

}  // extern "C"
