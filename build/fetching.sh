# SPDX-License-Identifier: Apache-2.0
#
# What the scripts share that fetch Debian packages: messages, and a folder that is filled once, by any user, with nothing
# installed. To be read by a script that has set $root, the project's folder.

say() {
    printf 'virtio4j: %s\n' "$*" >&2
}

die() {
    say "$*"
    exit 3
}

have() {
    command -v "$1" >/dev/null 2>&1
}

is_debian() {
    [ -r /etc/os-release ] && [ "$(. /etc/os-release && printf '%s' "$ID")" = debian ]
}

case ${XDG_CACHE_HOME:-} in
    /*) cache=$XDG_CACHE_HOME/virtio4j ;;
    *) if [ -n "${HOME:-}" ]; then cache=$HOME/.cache/virtio4j; else cache=$root/.cache; fi ;;
esac

# ---- a folder that is fetched once -----------------------------------------------------------------------------------

# Makes $cache/$1, a link that appears when all is in place.
# $2: what it is, for messages; $3: its size, likewise; $4: what to do without it
# $5: a command that tells whether the folder it is given is as it should be
# $6: a command that fills $work, a new folder, and makes $work/ready, which the link will lead to; what goes wrong is in
#     $work/log. The command that says why, $7, is called then.
fetch_once() (
    link=$cache/$1
    mkdir -p "$cache" 2>/dev/null || die "cannot create $cache to put $2 into; $4"
    { : >>"$cache/lock"; } 2>/dev/null || die "cannot write to $cache to put $2 into; $4"
    exec 9>>"$cache/lock"
    if ! flock -n 9; then
        say "waiting for another run that is fetching into $cache"
        flock 9
    fi
    if "$5" "$link"; then
        exit 0
    fi
    # Whoever holds the lock is alone here: these are remains of a run that was killed, or of a folder that was moved.
    rm -rf "$link".* "$link"
    say "fetching $2 into $cache (once: $3)"
    work=$(mktemp -d "$link.XXXXXX" 2>/dev/null) || die "cannot write to $cache to put $2 into; $4"
    trap 'rm -rf "$work"' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    chmod 755 "$work"
    if ! "$6"; then
        die "cannot fetch $2: $("$7"); $4"
    fi
    ln -s "$(basename "$work")/ready" "$work.link" && mv "$work.link" "$link" || die "cannot write to $cache"
    trap - EXIT
)

# ---- packages --------------------------------------------------------------------------------------------------------

# Prints the places where this machine gets Debian's packages from, one a line, as the options and the address of a line
# for apt's list of sources. Options are kept, so that a mirror with its own key stays usable.
debian_sources() {
    key=/usr/share/keyrings/debian-archive-keyring.gpg
    [ -r "$key" ] || key=
    for file in /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list \
        /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources; do
        [ -r "$file" ] || continue
        case $file in
            *.list) sed -n 's/^ *deb  *\(\[[^]]*\]\)* *\([^ ]*\)  *\([^ ]*\)  *\(.*\)/\2|\3|\4|\1/p' "$file" ;;
            # A stanza on one line: URIs|Suites|Components|[options]
            *) awk -v RS= '{
                    n = split($0, lines, "\n"); uris = suites = components = key = trusted = ""; off = 0
                    for (i = 1; i <= n; i++) {
                        if (lines[i] ~ /^#/) continue
                        name = tolower(lines[i]); sub(/:.*/, "", name)
                        value = lines[i]; sub(/^[^:]*:[ \t]*/, "", value)
                        if (name == "uris") uris = value
                        if (name == "suites") suites = value
                        if (name == "components") components = value
                        if (name == "signed-by" && value ~ /^\//) key = " signed-by=" value
                        if (name == "trusted" && value == "yes") trusted = " trusted=yes"
                        if (name == "enabled" && value == "no") off = 1
                    }
                    options = key trusted; sub(/^ /, "", options)
                    split(uris, uri, " "); split(suites, suite, " ")
                    if (!off) print uri[1] "|" suite[1] "|" components "|" (options == "" ? "" : "[" options "]")
                }' "$file" ;;
        esac
    done | while IFS='|' read -r uri suite components options; do
        case $suite in
            oldoldstable | oldstable | stable | testing | unstable | sid) ;;
            buster | bullseye | bookworm | trixie | forky | duke) ;;
            *) continue ;;
        esac
        case " $components " in *" main "*) ;; *) continue ;; esac
        case $uri in cdrom:* | '') continue ;; esac
        [ -n "$options" ] || options=${key:+"[signed-by=$key]"}
        printf '%s %s\n' "$options" "$uri"
    done | awk '!seen[$0]++'
}

# Runs apt-get on folders of its own below $work, so that it needs no root and changes nothing on the machine.
private_apt() {
    apt-get -q -o "Dir::State::Lists=$work/lists" -o "Dir::State::status=$work/status" \
        -o "Dir::Cache::archives=$work/archives" -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= \
        -o APT::Sandbox::User= -o Acquire::Retries=2 -o Acquire::Languages=none "$@" >>"$work/log" 2>&1
}

# Lets command $1 download packages into $work/debs, with apt-get options that say where packages come from: one place
# after the other until it succeeds, and there the suites $2... Unpacks the packages into $work/tree then.
packages_from_any_source() {
    download=$1
    shift
    debian_sources >"$work/sources"
    while IFS= read -r place; do
        for suite; do
            printf 'deb %s %s main\n' "$place" "$suite"
        done >"$work/sources.list"
        if "$download" -o "Dir::Etc::sourcelist=$work/sources.list" -o Dir::Etc::sourceparts=-; then
            unpack_packages
            return
        fi
    done <"$work/sources"
    return 1
}

prepare_packages() {
    mkdir -p "$work/lists/partial" "$work/archives/partial" "$work/debs" "$work/tree" 2>>"$work/log" || return 1
    : >"$work/status"
}

unpack_packages() {
    for package in "$work"/debs/*.deb; do
        dpkg-deb -x "$package" "$work/tree" 2>>"$work/log" || return 1
    done
    rm -rf "$work/debs" "$work/lists" "$work/archives"
}

# Says in a few words why $work could not be filled. $1: a package that was to be fetched.
why_packages_failed() {
    # A full disk may have no room left for the message that says so.
    if grep -q -i -e 'no space left' -e "don't have enough" "$work/log" ||
        [ "$(df -Pk "$work" | awk 'END { print $4 }')" -lt 1024 ]; then
        echo "the disk of $cache is full"
    elif grep -q -i -e 'could not resolve' -e 'could not connect' -e 'cannot initiate the connection' \
        -e 'connection failed' -e 'connection refused' -e 'connection timed out' -e 'temporary failure' "$work/log"; then
        echo 'the package mirror of this machine cannot be reached'
    elif grep -q -e 'Unable to locate package' -e 'No candidate version' -e 'has no installation candidate' "$work/log" ||
        [ ! -s "$work/sources" ]; then
        echo "the package sources of this machine have no $1"
    else
        last=$(grep -v '^$' "$work/log" | tail -n 1)
        echo "${last:-apt-get failed without a word}"
    fi
}
