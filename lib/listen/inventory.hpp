// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#pragma once

#include <graceful/error.hpp>
#include <graceful/listen_params.hpp>
#include <graceful/unique_fd.hpp>

#include "listen/inheritance.hpp"
#include "os/home_process.hpp"
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
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace graceful {

namespace asio = boost::asio;

/// A listening socket with its name. Closed when its last user lets go.
struct listening_socket {
  std::string name;
  os::socket_address address;
  unique_fd fd;
  int backlog;
  int backlog_now = backlog;  // of an adopted socket: the backlog that it was handed over with
  bool adopted = false;       // the predecessor has it too
  bool late = false;          // only bound when it was made; it listens from the commit on
  bool bound_here = false;    // by this process, and no other process has it
  os::kept_from_children mark{fd.get()};
};
using shared_socket = std::shared_ptr<const listening_socket>;

/// An object that accepts from a listening socket.
class accepting {
 public:
  virtual ~accepting() = default;

  /// Starts accepting.
  virtual void open() = 0;

  /// Stops accepting, but waits: `open` or `stop` follows.
  virtual void pause() = 0;

  /// Stops accepting, and lets go of the socket. Does not block; may be called from any thread.
  virtual void stop() = 0;

  /// The same, and tells the operations that wait for a connection: nobody continues for them.
  virtual void withdraw() { stop(); }

  /// Accepts from this socket too. False if it cannot.
  virtual bool adopt(const shared_socket& /*socket*/) { return false; }

  /// Stops accepting from this one of several sockets, and lets go of it, as `stop` does for all.
  virtual void let_go(const shared_socket& /*socket*/) {}

  /// The executor on which the application gets its connections; empty: there is none to ask.
  [[nodiscard]] virtual asio::any_io_executor executor() const { return {}; }

  /// The application has closed its acceptor without telling us.
  [[nodiscard]] virtual bool gone() const { return false; }

  /// An operation waits for a connection now.
  [[nodiscard]] virtual bool waits() const { return false; }

  /// Whether a thread of the application waits for connections and does nothing else meanwhile.
  [[nodiscard]] virtual os::answer somebody_blocks() const { return os::answer::no; }
};

/// What a process listens on, and what it has inherited and not yet asked for. Thread-safe.
class inventory {
 public:
  using names = std::vector<std::string>;

  explicit inventory(log& log) : log_{log} {}

  /// Adds a socket that was passed to this process. `kept`: the service manager holds it too, as it
  /// always does with sockets that it has passed.
  void inherit(std::string name, unique_fd fd, origin from = origin::predecessor,
               bool kept = false);

  /// Makes the log say where each socket has come from, since there are several ways.
  void tell_origins() { tells_origins_ = true; }

  /// `changed` is called when the set of sockets changes, from `open` on; it must not call back.
  /// Empty: no call.
  void on_change(std::function<void()> changed);

  /// How a socket relates to others of this process on its address.
  enum class membership { alone, first, beside, late };

  /// Returns the socket to listen on: an inherited one, the caller's `own` if given, or a new one.
  /// Sockets from the predecessor go before those from a service manager.
  result<shared_socket> obtain(std::string_view name, const os::socket_address& wanted,
                               const listen_params& params, unique_fd own,
                               membership as = membership::alone);

  /// Returns the first socket of a group. If it is new, it is bound alone on its address, but
  /// others may follow.
  result<shared_socket> obtain_first(std::string_view name, const os::socket_address& wanted,
                                     const listen_params& params) {
    return obtain(name, wanted, params, {}, membership::first);
  }

  /// Returns one more socket of the group of `first`, inherited or bound beside it. If it is bound
  /// beside an inherited one, it does not listen as long as the predecessor may come back.
  result<shared_socket> obtain_beside(const listening_socket& first, std::string_view name,
                                      const listen_params& params);

  /// Registers what accepts from the socket `name`; opens it at once if the others are open.
  void attach(std::string_view name, const std::shared_ptr<accepting>& user);

  /// Closes for good all sockets that `user` accepts from. If `user` is null, closes the socket
  /// `name` if it has no user yet.
  void remove(std::string_view name, const accepting* user);

  /// Lets go of sockets whose acceptor the application has closed without a word: clients could
  /// connect to them, and would wait for ever. Does nothing while the sockets are being handed
  /// over.
  void withdraw_closed();

  /// Closes the socket `name` for good, and ends what accepts from it. False if there is none, or
  /// it is being handed over.
  bool withdraw(std::string_view name);

  /// The socket `name`; null if there is none.
  [[nodiscard]] shared_socket find(std::string_view name) const;

  /// All sockets that can be handed over, sorted by name.
  [[nodiscard]] std::vector<shared_socket> sockets() const;

  /// The same, and nothing is added until `thaw()`: a socket that is not part of the handoff would
  /// be closed after it, with the connections in its queue.
  std::vector<shared_socket> freeze();
  void thaw();

  /// From now on the service manager holds these too. They are never sealed: the filter would stay
  /// on the socket, which the next server is to use.
  void keep(const names& held);
  /// The kept ones among those that can be handed over.
  [[nodiscard]] names kept() const;
  /// This process ends: stops accepting from the kept sockets, and from no others; no socket is
  /// added any more. The connections in their queues wait for the next server.
  void let_go_kept();
  /// The same for sockets that other processes hold too, except the processes of `but`: a server
  /// that forks workers, or was started with a socket that others were started with, is not alone
  /// in its queue. Finds only holders that it can see, see `os::held_by_others`.
  void leave_to_others(const std::set<pid_t>& but);
  /// The service manager does not hold them any more.
  void keep_none();

  /// This process ends without a successor: no socket is added any more, and no new connection
  /// begins on a socket that no other process holds. Returns where the kernel refuses that: there a
  /// client that connects in the last moment is reset; nothing else is lost.
  std::vector<std::string> seal();
  /// How many connections wait in the queues.
  [[nodiscard]] std::uint64_t queued() const;
  /// An operation waits for what is in a queue, and is about to get it.
  [[nodiscard]] bool somebody_waits() const;

  /// What the predecessor has passed and nobody here uses. If this process `keeps_unclaimed`, a
  /// `listen` can still claim it until `settle_claims`; otherwise not.
  [[nodiscard]] names unwanted();
  void keep_unclaimed() { keeps_unclaimed_ = true; }

  /// From now on no `listen` claims what was passed; what is left is closed. Returns the names of
  /// those that the predecessor has passed, and returns them again on every later call.
  names settle_claims();

  /// The predecessor's listeners that this process has dropped: their names and addresses.
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> dropped() const;

  /// Whether clients can connect to this process.
  [[nodiscard]] bool listens() const;

  /// Whether a thread of the application blocks in accept(2) on one of them, or in a call that
  /// waits to.
  [[nodiscard]] os::answer somebody_blocks_in_accept() const;

  /// The connections that this process has accepted on any port that it has ever listened on, by
  /// their cookies. Includes those of listeners that have gone.
  [[nodiscard]] std::set<std::uint64_t> connections() const;

  /// The executors on which the application gets its connections, each once.
  [[nodiscard]] std::vector<asio::any_io_executor> executors() const;

  /// The sockets that this process has bound itself.
  [[nodiscard]] names own() const;

  /// Opens everything, and sets backlogs. Inherited sockets that nobody asked for go to acceptors
  /// on the same address, in turn; otherwise they are kept for a late `listen`, or closed.
  void open();

  /// The predecessor does not come back: all sockets listen.
  void commit();

  /// Stops accepting, except on `ours`, but keeps everything so that it can resume.
  void pause(const names& ours);
  void resume();

  /// Stops, and lets go of, everything except `ours`. True if anything is left.
  bool let_go(const names& ours);

  /// Stops everything and lets go of all sockets.
  void stop() { let_go({}); }

 private:
  struct entry {
    shared_socket socket;  // null: the name is reserved for a socket that is being made
    std::shared_ptr<accepting> user;
    bool paused = false;
    bool kept = false;
    bool late = false;  // the user adopts the socket when it listens
  };
  enum class state { closed, open, stopped };

  result<shared_socket> make_socket(const std::string& name, const os::socket_address& wanted,
                                    const listen_params& params, inheritance::claim claim,
                                    unique_fd own, membership as);
  result<unique_fd> bind_afresh(const os::socket_address& wanted, listen_params params,
                                membership as) const;
  result<void> check_claimed(const std::string& name, int fd, origin from,
                             const listen_params& params);
  [[nodiscard]] std::string who_has(const os::socket_address& wanted) const;
  static bool accepts_at(const entry& e, const os::socket_address& address);
  bool share(const std::string& name, inheritance::item& what);
  void note_dropped(const std::string& name, const inheritance::item& what);
  static bool begin_late(entry& late);
  [[nodiscard]] result<void> check_open_for_more() const;

  using condition = std::function<bool(const entry&)>;
  std::vector<entry> take_out(const condition& meant);
  void stop_those(const condition& meant);
  [[nodiscard]] names names_of(const condition& meant) const;
  [[nodiscard]] bool is_present(const entry& e) const;
  [[nodiscard]] std::vector<shared_socket> present() const;
  void tell_change() const;

  log& log_;
  mutable std::mutex mutex_;
  state state_ = state::closed;
  bool frozen_ = false;
  bool sealed_ = false;
  bool claims_over_ = false;
  bool keeps_unclaimed_ = false;
  bool provisional_ = false;  // the predecessor may take the inherited sockets back
  std::map<std::string, entry, std::less<>> entries_;
  std::set<std::uint16_t> ports_;  // all that this process has ever listened on
  inheritance inherited_;
  std::vector<std::pair<std::string, std::string>> dropped_;
  std::function<void()> changed_;
  std::atomic<bool> tells_origins_{false};
};

}  // namespace graceful
