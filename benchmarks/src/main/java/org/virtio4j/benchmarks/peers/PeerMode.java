// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.benchmarks.peers;

import java.util.List;
import java.util.Locale;
import org.virtio4j.benchmarks.peers.input.PeerOperation;

/** How long and how often everything is measured. */
enum PeerMode {
    /** Whether everything works; the figures are worth nothing. */
    QUICK(1, 3, 0.01, 0.1, 1 << 16),
    NORMAL(3, 7, 0.1, 0.7, 1 << 20),
    FULL(5, 9, 0.2, 1, 1 << 24);

    /** What a mapping takes in all programs together, with the keys: more than was ever seen. */
    private static final long BYTES_PER_MAPPING = 700;
    /** More mappings are not made again and again. */
    private static final int MOST_AGAIN = 1 << 20;
    private static final List<Integer> SIZES = List.of(1 << 10, 1 << 16, 1 << 20, 1 << 24);

    private final int sittings;
    private final int rounds;
    private final double seconds;
    private final double warmUp;
    private final int largest;

    PeerMode(int sittings, int rounds, double seconds, double warmUp, int largest) {
        this.sittings = sittings;
        this.rounds = rounds;
        this.seconds = seconds;
        this.warmUp = warmUp;
        this.largest = largest;
    }

    /** How often all programs are started; once where it takes them minutes to make all mappings. */
    int sittings(int mappings) {
        return mappings > MOST_AGAIN ? 1 : sittings;
    }

    /** How often each has its turn; less often where all mappings have to be made again after it. */
    int rounds(PeerOperation operation, int mappings) {
        if (operation != PeerOperation.UNMAP_ALL) {
            return rounds;
        }
        return mappings > MOST_AGAIN ? 1 : (rounds + 1) / 2;
    }

    /** How long a turn takes. */
    double seconds() {
        return seconds;
    }

    /** How long a program that compiles itself does a kind of work before it is timed. */
    double warmUp() {
        return warmUp;
    }

    /** Numbers of mappings that go into so much memory. */
    List<Integer> sizes(long memory) {
        return SIZES.stream().filter(size -> size <= largest && size * BYTES_PER_MAPPING < memory).toList();
    }

    String text() {
        return String.format(Locale.ROOT, "%s: %d times all programs, rounds each %d, a turn %.0f ms",
                name().toLowerCase(Locale.ROOT), sittings, rounds, 1000 * seconds);
    }
}
