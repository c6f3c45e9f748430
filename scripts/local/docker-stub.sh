#!/bin/sh
# Stands in for the `docker` command where wrangler asks for one: says yes to what it asks (cloudflare.md §2).
# The containers themselves run through the process engine's socket.
[ "$1" = --host ] && shift 2
case "$1" in
  info) case "$*" in *--format*) echo '[]' ;; *) echo 'Server Version: process-engine' ;; esac ;;
  build) cat >/dev/null ;;
  image)
    case "$*" in
      *ExposedPorts*) echo 1 ;;
      *RepoTags*) for argument; do case "$argument" in cloudflare-dev/*) echo "$argument" ;; esac; done ;;
    esac ;;
esac
