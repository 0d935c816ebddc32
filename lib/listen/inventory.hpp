// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_LISTEN_INVENTORY_HPP
#define GRACEFUL_LISTEN_INVENTORY_HPP

#include <graceful/error.hpp>
#include <graceful/listen_params.hpp>
#include <graceful/unique_fd.hpp>

#include "listen/inheritance.hpp"
#include "os/kept_from_children.hpp"
#include "os/log.hpp"
#include "os/open_files.hpp"
#include "os/socket_address.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace graceful {

/// A listening socket under its name. Closed when the last one who uses it lets go.
struct listening_socket {
  std::string name;
  os::socket_address address;
  unique_fd fd;
  int backlog;
  int backlog_now = backlog;  // of an adopted socket: what it was handed over with
  bool adopted = false;       // the predecessor has it too
  bool late = false;          // bound only, when it was made: it listens from the commit on
  bool bound_here = false;    // by this process, for nobody else
  os::kept_from_children mark{fd.get()};
};

/// Something that accepts from a listening socket.
class accepting {
 public:
  virtual ~accepting() = default;

  /// Accept from now on.
  virtual void open() = 0;

  /// Accept no more, but wait: `open` or `stop` follows.
  virtual void pause() = 0;

  /// Accept no more, and let go of the socket. Does not block, may be called from any thread.
  virtual void stop() = 0;

  /// The same, and whoever waits for a connection is told: nobody goes on with it.
  virtual void withdraw() { stop(); }

  /// Accept from this socket too. False if it cannot.
  virtual bool adopt(const std::shared_ptr<const listening_socket>& /*socket*/) { return false; }

  /// Accept no more from this one of several sockets, and let go of it, as `stop` does of all.
  virtual void let_go(const std::shared_ptr<const listening_socket>& /*socket*/) {}

  /// Where the application is told of connections; empty: nowhere that could be asked.
  [[nodiscard]] virtual boost::asio::any_io_executor executor() const { return {}; }

  /// The application has closed what it accepts with, and has told nobody.
  [[nodiscard]] virtual bool gone() const { return false; }

  /// Somebody waits for a connection now.
  [[nodiscard]] virtual bool waits() const { return false; }

  /// Whether a thread of the application waits for connections and does nothing else meanwhile.
  [[nodiscard]] virtual os::answer somebody_blocks() const { return os::answer::no; }
};

/// What a process listens on, and what it has inherited and not yet asked for. Thread-safe.
class inventory {
 public:
  using names = std::vector<std::string>;

  explicit inventory(log& log) : log_{log} {}

  /// A socket that was passed to this process. `kept`: the service manager holds it too, as it does
  /// what comes from there.
  void inherit(std::string name, unique_fd fd, origin from = origin::predecessor,
               bool kept = false);

  /// The log says of each socket where it has come from, since there are several ways.
  void tell_origins() { tells_origins_ = true; }

  /// Called when there are other sockets than before, from `open` on; must not call back. Empty:
  /// nobody is told.
  void on_change(std::function<void()> changed);

  /// The socket to listen on: inherited, the caller's `own` if it has one, or bound afresh. What
  /// the predecessor has passed goes before what a service manager has.
  result<std::shared_ptr<const listening_socket>> obtain(std::string_view name,
                                                         const os::socket_address& wanted,
                                                         const listen_params& params,
                                                         unique_fd own);

  /// The first socket of a group: alone on its address if it is bound afresh, but others may
  /// follow.
  result<std::shared_ptr<const listening_socket>> obtain_first(std::string_view name,
                                                               const os::socket_address& wanted,
                                                               const listen_params& params);

  /// One more socket of the group of `first`, inherited or bound beside it. Bound beside what was
  /// inherited it does not listen as long as the predecessor may come back.
  result<std::shared_ptr<const listening_socket>> obtain_beside(const listening_socket& first,
                                                                std::string_view name,
                                                                const listen_params& params);

  /// Who accepts from the socket `name`; opened at once if all are.
  void attach(std::string_view name, const std::shared_ptr<accepting>& user);

  /// Closes for good all that `user` accepts from; the socket `name`, if it has no user yet and
  /// `user` is none.
  void remove(std::string_view name, const accepting* user);

  /// Lets go of what the application has closed without a word: clients could connect there, and
  /// would wait for ever. While the sockets are handed over nothing changes.
  void withdraw_closed();

  /// Closes the socket `name` for good, and ends who accepts from it. False if there is none, or it
  /// is being handed over.
  bool withdraw(std::string_view name);

  /// The socket `name`; none if there is none.
  [[nodiscard]] std::shared_ptr<const listening_socket> find(std::string_view name) const;

  /// All that can be handed over, by name.
  [[nodiscard]] std::vector<std::shared_ptr<const listening_socket>> sockets() const;

  /// The same, and nothing is added until `thaw()`: a socket that is no part of the handoff would
  /// be closed after it, with the connections in its queue.
  std::vector<std::shared_ptr<const listening_socket>> freeze();
  void thaw();

  /// The service manager holds these too, from now on. They are never sealed: a filter would stay
  /// with the socket, which whoever is started next is to use.
  void keep(const names& held);
  /// Those among what can be handed over.
  [[nodiscard]] names kept() const;
  /// This process ends: stops accepting there, and nowhere else, and no socket is added any more.
  /// What is in the queues waits for whoever is started next.
  void let_go_kept();
  /// The same with what other processes have open too, but for these: a server that forks workers,
  /// or is started with a socket that others were started with, is not alone in its queue. As far
  /// as that can be told, see `os::held_by_others`.
  void leave_to_others(const std::set<pid_t>& but);
  /// The service manager does not hold them any more.
  void keep_none();

  /// This process ends without a successor: no socket is added any more, and no connection begins
  /// on what nobody else holds. Says where the kernel refuses that: there a client that connects in
  /// the last moment is reset; nothing else is lost.
  std::vector<std::string> seal();
  /// How many connections wait in the queues.
  [[nodiscard]] std::uint64_t queued() const;
  /// Somebody waits for what is in a queue, and is about to get it.
  [[nodiscard]] bool somebody_waits() const;

  /// What the predecessor has passed and goes to nobody here. Until `settle_claims` a `listen` can
  /// still claim it, if this process `keeps_unclaimed`; else not.
  [[nodiscard]] names unwanted();
  void keep_unclaimed() { keeps_unclaimed_ = true; }

  /// No `listen` claims any more what was passed: what is left of it is closed. Returns the names
  /// of what the predecessor has passed; the same again when it is called again.
  names settle_claims();

  /// The listeners of the predecessor that this process has dropped: their names and addresses.
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> dropped() const;

  /// Whether anybody can connect to this process.
  [[nodiscard]] bool listens() const;

  /// Whether a thread of the application blocks in accept(2), or waits to, on one of them.
  [[nodiscard]] os::answer somebody_blocks_in_accept() const;

  /// The connections that this process has accepted from whatever it has listened on, by their
  /// cookies: those of listeners that are gone by now too.
  [[nodiscard]] std::set<std::uint64_t> connections() const;

  /// Where the application is told of connections, each once.
  [[nodiscard]] std::vector<boost::asio::any_io_executor> executors() const;

  /// What this process has bound itself.
  [[nodiscard]] names own() const;

  /// Opens everything, and sets backlogs. What was inherited and not asked for goes to those who
  /// accept on the same address, in turn; or it is kept, for a `listen` that comes late, or closed.
  void open();

  /// The predecessor does not come back: all sockets listen.
  void commit();

  /// Stops accepting but on `ours`, and keeps everything, so that it can go on.
  void pause(const names& ours);
  void resume();

  /// Stops, and lets go of, everything but `ours`. True if anything is left.
  bool let_go(const names& ours);

  /// Stops everything and lets go of all sockets.
  void stop();

 private:
  struct entry {
    std::shared_ptr<const listening_socket> socket;
    std::shared_ptr<accepting> user;
    bool paused = false;
    bool kept = false;
    bool late = false;  // the user has yet to adopt the socket, once that listens
  };
  enum class state { closed, open, stopped };

  struct claimed {
    unique_fd fd;
    os::socket_address address;
    std::function<void()> remark;  // for the log, without the mutex
    std::optional<origin> from;
    bool kept = false;
  };
  claimed claim(const std::string& name, const os::socket_address& wanted);
  result<void> check_claimed(const std::string& name, const claimed& found,
                             const listen_params& params);
  [[nodiscard]] std::string who_has(const os::socket_address& wanted) const;
  void tell_change() const;
  enum class membership { alone, first, beside, late };
  result<std::shared_ptr<const listening_socket>> obtain(std::string_view name,
                                                         const os::socket_address& wanted,
                                                         const listen_params& params, unique_fd own,
                                                         membership as);
  void stop_those(const std::function<bool(const std::string& name, const entry&)>& meant);
  bool share(const std::string& name, inheritance::item& what);
  void note_dropped(const std::string& name, const inheritance::item& what);
  static bool begin_late(entry& late);
  [[nodiscard]] bool is_present(const entry& e) const;
  [[nodiscard]] result<void> check_open_for_more() const;
  [[nodiscard]] std::vector<std::shared_ptr<const listening_socket>> present() const;

  log& log_;
  mutable std::mutex mutex_;
  state state_ = state::closed;
  bool frozen_ = false;
  bool sealed_ = false;
  bool claims_over_ = false;
  bool keeps_unclaimed_ = false;
  bool provisional_ = false;  // the predecessor may come back to what was inherited
  std::map<std::string, entry, std::less<>> entries_;
  std::set<std::uint16_t> ports_;  // all that this process has ever listened on
  inheritance inherited_;
  std::vector<std::pair<std::string, std::string>> dropped_;
  std::function<void()> changed_;
  std::atomic<bool> tells_origins_{false};
};

}  // namespace graceful

#endif
