// SPDX-License-Identifier: Apache-2.0

/**
 * Compares this project's mapping table with those of other VMMs and languages: {@code virtio4j bench --peers}.
 *
 * <p>A {@link org.virtio4j.benchmarks.peers.input.PeerSet} is what all tables hold and are asked for. It goes into one
 * file, which every program reads: those in C and Rust in {@code benchmarks/peers}, and {@link
 * org.virtio4j.benchmarks.peers.work.PeerWorker}, once for this project's table and once for {@code java.util.TreeMap}.
 * All of them run at once and take turns: one works for a fraction of a second while the others wait, then the next
 * does the same work, round after round. Whatever else the machine does meets all of them, and the median of all rounds
 * counts. A {@link org.virtio4j.benchmarks.peers.PeerRound} is one such run of all programs; there are several, because
 * the JIT compiler does not decide the same in each.
 *
 * <p>In one set the programs are devices instead of tables: {@link org.virtio4j.benchmarks.peers.work.RequestWork} and
 * {@code map_loop.c}, a plain loop in C, serve the same requests from a ring of their own.
 *
 * <p>Before anything is timed, every program shows that it refuses what a device must refuse, and that it finds what
 * the others find.
 */
@NullMarked
package org.virtio4j.benchmarks.peers;

import org.jspecify.annotations.NullMarked;
