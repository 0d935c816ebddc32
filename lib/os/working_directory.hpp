// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_OS_WORKING_DIRECTORY_HPP
#define GRACEFUL_OS_WORKING_DIRECTORY_HPP

#include <string>

namespace graceful::os {

/// The directory in which this process was started: `physical`, as the kernel knows it, but with
/// the symbolic links that led there. So a path like /srv/app/current, which may point to another
/// release by then, is resolved again. These sources are tried in order:
///
/// 1. $PWD, if it names this directory. A shell without better knowledge sets it to the physical
/// path, which tells nothing.
/// 2. `program`, the absolute path of the program: a directory on the way to it that is this one,
/// or above it.
/// 3. The only symbolic link in the parent or grandparent of this directory that leads to it, to
/// the directory above it, or to the one above that. Only a link of root, this user, or the owner
/// of the directory in which it lies counts, and none where everybody may make links.
///
/// Otherwise the result is `physical`.
std::string with_links(const std::string& physical, const std::string& program);

}  // namespace graceful::os

#endif
