// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#include "host.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>

#include <linux/capability.h>

namespace fs = std::filesystem;
using namespace graceful_systemd;

TEST_SUITE_BEGIN("host");

TEST_CASE("A service runs on a host of its own, and nothing of it is left when that ends") {
  for (const auto kind : {manager::system, manager::user}) {
    pid_t outside = 0;
    {
      host place{kind};
      INFO(place.log());
      place.install_unit("idle.service",
                         "[Service]\nType=exec\nExecStart=/usr/bin/sleep infinity\n");
      CHECK(place.systemctl({"start", "idle.service"}).status.exited(0));
      const auto now = place.state("idle.service");
      CHECK(now.active == "active");
      const auto processes = place.processes("idle.service");
      REQUIRE(processes.size() == 1);
      CHECK(processes[0].pid == now.main_pid);
      CHECK(processes[0].child_of_manager);
      outside = processes[0].outside;
      CHECK(fs::exists("/proc/" + std::to_string(outside)));
    }
    CHECK_FALSE(fs::exists("/proc/" + std::to_string(outside)));
  }
}

TEST_CASE("A host can change only what is its own, and knows only the units of the test") {
  scene place;
  const std::string mine = place.path("mine");
  host there;
  INFO(there.log());
  const auto wrote = there.run(
      {"/bin/sh", "-c",
       "mkdir -p " + place.directory() + " && touch " + mine +
           "; for d in / /usr /etc /var /var/lib /home /root /sys /dev /opt/build; do"
           " touch $d/written 2>/dev/null && echo wrote in $d; done;"
           " echo 10 2>/dev/null > /proc/sys/vm/swappiness && echo wrote a sysctl; true"});
  CHECK(wrote.text == "");
  CHECK_FALSE(fs::exists(mine));  // it has its own /tmp
  CHECK(there
            .run({"/usr/bin/find", "/usr/lib/systemd/system", "/usr/lib/tmpfiles.d", "-mindepth",
                  "1"})
            .text == "");
  there.install_unit("id.service",
                     "[Service]\nType=oneshot\nStandardOutput=append:/run/output\n"
                     "ExecStart=/usr/bin/grep CapBnd /proc/self/status\n");
  CHECK(there.systemctl({"start", "id.service"}).status.exited(0));
  const std::string bounding = there.read("/run/output");  // "CapBnd:\t000001ff..."
  constexpr auto dropped =
      1ULL << CAP_SYS_BOOT | 1ULL << CAP_SYS_MODULE | 1ULL << CAP_SYS_RAWIO | 1ULL << CAP_SYS_TIME;
  CHECK((std::stoull(bounding.substr(bounding.find('\t') + 1), nullptr, 16) & dropped) == 0);
  CHECK(there.systemctl({"start", "systemd-tmpfiles-setup.service"}).status.exited(5));
}

TEST_SUITE_END();
