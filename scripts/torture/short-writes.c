/* Preloaded (LD_PRELOAD): a write to a file below GROK_TORTURE_ROOT writes half of what is asked, as a
 * system may. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

static size_t half(int fd, size_t count) {
  const char *root = getenv("GROK_TORTURE_ROOT");
  char link[64], path[PATH_MAX];
  if (root == NULL || count < 2) return count;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return count;
  path[length] = 0;
  return strncmp(path, root, strlen(root)) == 0 ? count / 2 : count;
}

ssize_t write(int fd, const void *data, size_t count) {
  static ssize_t (*next)(int, const void *, size_t);
  if (next == NULL) next = dlsym(RTLD_NEXT, "write");
  return next(fd, data, half(fd, count));
}

ssize_t pwrite64(int fd, const void *data, size_t count, off64_t at) {
  static ssize_t (*next)(int, const void *, size_t, off64_t);
  if (next == NULL) next = dlsym(RTLD_NEXT, "pwrite64");
  return next(fd, data, half(fd, count), at);
}

ssize_t pwrite(int fd, const void *data, size_t count, off_t at) { return pwrite64(fd, data, count, at); }
