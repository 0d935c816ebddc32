// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "options.hpp"

#include <boost/program_options.hpp>

#include <sstream>
#include <string>
#include <vector>

namespace graceful::cli {

namespace po = boost::program_options;

namespace {

void add_supervisor_options(po::options_description& all) {
  const auto seconds = [] { return po::value<double>()->value_name("SECONDS"); };
  all.add_options()  //
      ("name", po::value<std::string>()->value_name("NAME"),
       "run: what the server is called (default: the base name of COMMAND)")  //
      ("control", po::value<std::string>()->value_name("PATH"),
       "run: the server's control socket (default: that of its name)")  //
      ("socket", po::value<std::string>()->value_name("PATH"),
       "run, status, reexec: the supervisor's own socket (default: the server's control socket "
       "with "
       ".supervisor appended)")  //
      ("ready-timeout", seconds(),
       "run: how long the server may take until it is ready, if by then it has spoken sd_notify(3) "
       "at all (default: 60)")  //
      ("restart-delay", seconds(),
       "run: how long to wait until a server that failed is started again; twice as long after "
       "each "
       "failure in a row (default: 0.1)")                                              //
      ("max-restart-delay", seconds(), "run: the longest time to wait (default: 30)")  //
      ("max-failures", po::value<double>()->value_name("N"),
       "run: give up after so many failures in a row, 0: never (default: 10)")  //
      ("good-while", seconds(),
       "run: a server that has served for so long has done well, and failures before count no more "
       "(default: 10)");
}

}  // namespace

po::options_description options() {
  po::options_description all{"Options"};
  all.add_options()                                                                //
      ("json", "print the server's answers as they come, one JSON object a line")  //
      ("timeout", po::value<double>()->value_name("SECONDS"),
       "upgrade: how long the new process may take until it is ready (default: what the server was "
       "built with, 30 unless changed). others, but run: how long the server may take to answer "
       "(default: "
       "5)");
  all.add_options()("directory", po::value<std::string>()->value_name("DIR"),
                    "upgrade: where the new process starts (default: where the server did)");
  all.add_options()("env", po::value<std::vector<std::string>>()->value_name("KEY=VALUE"),
                    "upgrade: add a variable to the environment of the new process; may be given "
                    "several times")  //
      ("until", po::value<std::string>()->value_name("MILESTONE"),
       "upgrade: when to return: ready, committed (the default) or drained")  //
      ("now", "drain: cut the connections instead of letting them end");      //
  add_supervisor_options(all);
  all.add_options()                               //
      ("help,h", "print this and exit")           //
      ("version", "print the version and exit");  //
  return all;
}

std::string help() {
  std::ostringstream text;
  text << "Usage: graceful-ctl upgrade [TARGET] [OPTIONS] [-- COMMAND ARG...]\n"
          "       graceful-ctl status|metrics|monitor|drain|abort|commit|rollback|reexec [TARGET]\n"
          "                    [OPTIONS]\n"
          "       graceful-ctl run [OPTIONS] -- COMMAND ARG...\n"
          "\n"
          "Replaces a running server with a new process, without a client noticing.\n"
          "\n"
          "upgrade  has the server start its successor, by COMMAND or as it was started itself,\n"
          "         and hand its sockets over; returns when the new process has served for its\n"
          "         probation, and stays\n"
          "status   prints what the server says of itself\n"
          "metrics  prints what the server measures, as OpenMetrics text\n"
          "drain    ends the server when its connections are done; returns when it is about to "
          "exit\n"
          "monitor  prints what happens, from one process to the next, until the server ends\n"
          "abort    gives up an upgrade that is not ready yet\n"
          "commit   ends the probation of a new process: it stays\n"
          "rollback ends it too: the old process serves again\n"
          "run      runs a server, starts it again when it fails, and keeps its listening sockets\n"
          "         open meanwhile; for containers, as PID 1 too, and hosts without systemd\n"
          "reexec   has such a supervisor go on in its program as it is by now\n"
          "\n"
          "TARGET is a server's name, or the path of its control socket (with a slash).\n"
          "It may be left out if one server is running.\n"
          "\n"
       << options()
       << "\n"
          "Exit codes: 0 done, 1 failed (of upgrade: and the old process still serves), 2 usage,\n"
          "4 permission denied, 7 not running, 75 busy (try again later), 130 or 143 interrupted.\n"
          "Of run: that of the server, 128 + n if signal n killed it, 127 if there is no such\n"
          "program, 126 if it cannot be executed.\n";
  return text.str();
}

}  // namespace graceful::cli
