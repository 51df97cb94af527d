#!/bin/sh
# Makes the cases of Perl again: perl.sh [NAME…]. Needs Mojolicious, Plack, DBD::Pg, Moose and Exception::Class.
set -eu
here=$(dirname "$0")
exec python3 "$here/make.py" "$here/perl.yaml" "$@"
