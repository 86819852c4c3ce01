// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vmm;

import org.virtio4j.dma.translate.TranslationCaches;
import org.virtio4j.vmm.grace.GracePeriods;

/** How long the lists are in which a handle is entered as long as it is open. */
public final class ReaderCount {

    private ReaderCount() {
    }

    /** Whom a change waits for. */
    public static int of(GracePeriods readers) {
        return readers.count();
    }

    /** Who is told to forget translations. */
    public static int of(TranslationCaches caches) {
        return caches.count();
    }
}
