// Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
#ifndef GRACEFUL_OS_WORKING_DIRECTORY_HPP
#define GRACEFUL_OS_WORKING_DIRECTORY_HPP

#include <string>

namespace graceful::os {

/// A directory that this process was started in, `physical` as the kernel knows it, with the
/// symbolic links that led there; so that one like /srv/app/current, which leads to another release
/// by then, is entered again. What tells of them, in this order:
///
/// 1. $PWD, if it names this directory. A shell that was told nothing sets it as the kernel does;
///    then it tells nothing.
/// 2. `program`, the absolute path of the program: a directory on the way to it that is this one,
///    or above it.
/// 3. The only symbolic link in the parent or grandparent of this directory that leads to it; or to
///    the directory above it, or the one above that. Only one of root, this user, or the owner of
///    the directory in which it lies counts, and none where everybody may make links.
///
/// Without any it is `physical`.
std::string with_links(const std::string& physical, const std::string& program);

}  // namespace graceful::os

#endif
