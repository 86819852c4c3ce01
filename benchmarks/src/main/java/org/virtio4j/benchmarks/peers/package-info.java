// SPDX-License-Identifier: Apache-2.0

/**
 * The mapping table beside those of other VMMs: {@code virtio4j bench --peers}.
 *
 * <p>A {@link org.virtio4j.benchmarks.peers.PeerSet} is what all tables hold and are asked for. It goes into a file
 * ({@link org.virtio4j.benchmarks.peers.KeyFile}), which every program reads: those in C and Rust in {@code
 * benchmarks/peers}, and {@link org.virtio4j.benchmarks.peers.PeerWorker}, once for our table and once for {@code
 * java.util.TreeMap}. All of them run at once and take turns: one works for a fraction of a second while the others
 * wait, then the next does the same work, round after round. Whatever else the machine does meets all alike, and of
 * all rounds the median counts. A {@link org.virtio4j.benchmarks.peers.Sitting} is one such run of all programs; there
 * are several, because the JIT compiler does not decide alike in each.
 *
 * <p>In one set the programs are devices rather than tables: {@link org.virtio4j.benchmarks.peers.RequestWork} and
 * {@code map_loop.c}, a plain loop in C, serve the same requests from a ring of their own.
 *
 * <p>Before anything is timed every program shows that it refuses what a device must refuse, and that it finds what the
 * others find.
 */
@NullMarked
package org.virtio4j.benchmarks.peers;

import org.jspecify.annotations.NullMarked;
