// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.benchmarks.peers.input;

import java.util.SplittableRandom;
import org.virtio4j.benchmarks.fixture.Shuffle;
import org.virtio4j.vmm.GuestMemory;

/** Which mappings there are. They are inserted in shuffled order and looked up at random; the same ones each time. */
public enum KeyLayout {
    /** 4 KiB each, 8 KiB apart. */
    UNIFORM("4 KiB, 8 KiB apart") {
        @Override
        long size(SplittableRandom random) {
            return GuestMemory.PAGE_SIZE;
        }
    },
    /** Powers of two from 4 KiB to 1 GiB, one as likely as the other, with gaps of one page. */
    MIXED("4 KiB to 1 GiB mixed") {
        @Override
        long size(SplittableRandom random) {
            return GuestMemory.PAGE_SIZE << random.nextInt(LARGEST_SHIFT + 1);
        }
    };

    private static final int LARGEST_SHIFT = 18;
    private static final long SEED = 7;
    private static final long FIRST = 1L << 40;
    /** A shorter round would be learned by heart by the processor's branch prediction. */
    private static final int LEAST_LOOKUPS = 1 << 16;
    private static final int MOST_LOOKUPS = 1 << 22;

    private final String text;

    KeyLayout(String text) {
        this.text = text;
    }

    String text() {
        return text;
    }

    /** Bytes of the next mapping. */
    abstract long size(SplittableRandom random);

    /** So many mappings, and about as many look-ups. */
    public Keys keys(int count) {
        SplittableRandom random = new SplittableRandom(SEED);
        int[] order = Shuffle.order(count);
        long[] first = new long[count];
        long[] last = new long[count];
        long[] physical = new long[count];
        long next = FIRST;
        for (int index = 0; index < count; index++) {
            int at = order[index];
            first[at] = next;
            last[at] = next + size(random) - 1;
            physical[at] = index * GuestMemory.PAGE_SIZE;
            next = last[at] + 1 + GuestMemory.PAGE_SIZE;
        }
        return new Keys(first, last, physical, lookups(first, last, random), new long[0]);
    }

    private static long[] lookups(long[] first, long[] last, SplittableRandom random) {
        int wanted = Math.clamp(first.length, LEAST_LOOKUPS, MOST_LOOKUPS);
        long[] addresses = new long[wanted / KeyFile.CHUNK * KeyFile.CHUNK];
        for (int i = 0; i < addresses.length; i++) {
            int hit = random.nextInt(first.length);
            addresses[i] = first[hit] + random.nextLong(last[hit] - first[hit] + 1);
        }
        return addresses;
    }
}
