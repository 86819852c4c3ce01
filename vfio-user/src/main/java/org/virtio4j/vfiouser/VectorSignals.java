// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vfiouser;

import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;
import org.virtio4j.vmm.InterruptSink;
import org.virtio4j.vmm.os.Descriptor;
import org.virtio4j.wire.pci.MsixCapability;

/**
 * MSI-X vectors as eventfds of the client. Table and masks are the client's. A vector that is raised while it has no
 * eventfd is signalled once it gets one, as a masked vector is on a function that keeps its table itself.
 *
 * <p>Any thread raises; the socket's thread assigns.
 */
final class VectorSignals implements InterruptSink {

    private final AtomicReferenceArray<@Nullable Descriptor> eventfds =
            new AtomicReferenceArray<>(MsixCapability.MAX_ENTRIES);
    private final AtomicIntegerArray pending = new AtomicIntegerArray(MsixCapability.MAX_ENTRIES);

    @Override
    public void raise(int vector) {
        Descriptor eventfd = eventfds.get(vector);
        if (eventfd == null || !eventfd.signal()) {
            // The bit is set before the eventfd is looked at again, and who assigns one looks at the bit after it.
            pending.set(vector, 1);
            deliver(vector);
        }
    }

    /** Signals something else from now on, or nothing. */
    void assign(int vector, @Nullable Descriptor eventfd) {
        Descriptor before = eventfds.getAndSet(vector, eventfd);
        if (before != null) {
            before.close();
        }
        deliver(vector);
    }

    /** Forgets all eventfds and what was pending. */
    void clear() {
        for (int vector = 0; vector < eventfds.length(); vector++) {
            if (eventfds.get(vector) != null) {
                assign(vector, null);
            }
        }
        forgetPending();
    }

    /** The device was reset, and its interrupts of before with it. */
    void forgetPending() {
        for (int vector = 0; vector < pending.length(); vector++) {
            pending.set(vector, 0);
        }
    }

    private void deliver(int vector) {
        Descriptor eventfd = eventfds.get(vector);
        while (eventfd != null && pending.getAndSet(vector, 0) == 1 && !eventfd.signal()) {
            // Closed just now, so another has taken its place, or none.
            pending.set(vector, 1);
            eventfd = eventfds.get(vector);
        }
    }
}
