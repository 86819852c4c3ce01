// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vmm;

/** How long the lists are in which a handle is entered as long as it is open. */
public final class ReaderCount {

    private ReaderCount() {
    }

    /** Whom a change waits for. */
    public static int of(Readers readers) {
        return readers.count();
    }

    /** Who is told to forget translations. */
    public static int of(TranslationCaches caches) {
        return caches.count();
    }
}
