// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_OS_JOURNAL_STREAM_HPP
#define GRACEFUL_OS_JOURNAL_STREAM_HPP

#include <string_view>

namespace graceful::os {

/// Whether `fd` is the stream to the journal that JOURNAL_STREAM=`variable` names. The variable
/// alone proves nothing: processes whose output was redirected inherit it too, see systemd.exec(5).
bool is_journal_stream(int fd, std::string_view variable);

}  // namespace graceful::os

#endif
