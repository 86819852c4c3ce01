// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.concurrency;

import java.util.Arrays;
import java.util.function.IntConsumer;

/** What a driver knows of the mappings of one domain, page by page, and so what each request must be answered. */
final class ExpectedMappings {

    private static final int NOTHING = -1;

    /** For each page the first and the last one of the mapping it belongs to, {@link #NOTHING} if it is in none. */
    private final int[] first;
    private final int[] last;

    ExpectedMappings(int pages) {
        first = new int[pages];
        last = new int[pages];
        clear();
    }

    int pages() {
        return first.length;
    }

    boolean isMapped(int page) {
        return first[page] != NOTHING;
    }

    /** Whether a MAP of these pages, the last one included, is accepted; if so, they are mapped from now on. */
    boolean map(int from, int to) {
        for (int page = from; page <= to; page++) {
            if (isMapped(page)) {
                return false;
            }
        }
        Arrays.fill(first, from, to + 1, from);
        Arrays.fill(last, from, to + 1, to);
        return true;
    }

    /** Whether an UNMAP of these pages is accepted; if so, each that was mapped is so no more, and told of. */
    boolean unmap(int from, int to, IntConsumer unmapped) {
        boolean splits = (isMapped(from) && first[from] < from) || (isMapped(to) && last[to] > to);
        if (splits) {
            return false;
        }
        for (int page = from; page <= to; page++) {
            if (isMapped(page)) {
                first[page] = NOTHING;
                unmapped.accept(page);
            }
        }
        return true;
    }

    void clear() {
        Arrays.fill(first, NOTHING);
    }
}
