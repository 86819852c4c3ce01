// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vfiouser;

import java.util.BitSet;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.virtio4j.os.Descriptor;
import org.virtio4j.vmm.InterruptSink;
import org.virtio4j.wire.pci.MsixCapability;

/**
 * MSI-X vectors as eventfds of the client. Masks are not looked at here: a vector that is masked does not get here. A
 * vector that is raised while it has no eventfd is signalled once it gets one, unless it was withdrawn before, as a
 * masked one is.
 *
 * <p>Any thread raises and withdraws; the socket's thread assigns. What is pending is signalled under the lock, so that
 * an old signal does not follow the reset that withdraws it. A signal does not wait, or for at most a second where the
 * client asks for a signal that waits; the lock may be held meanwhile.
 */
final class VectorSignals implements InterruptSink {

    private final AtomicReferenceArray<@Nullable Descriptor> eventfds =
            new AtomicReferenceArray<>(MsixCapability.MAX_ENTRIES);
    private final ReentrantLock lock = new ReentrantLock();

    /** Guarded by the lock. */
    private final BitSet pending = new BitSet(MsixCapability.MAX_ENTRIES);

    @Override
    public void raise(int vector) {
        Descriptor eventfd = eventfds.get(vector);
        if (eventfd != null && eventfd.signal()) {
            return;
        }
        lock.lock();
        try {
            pending.set(vector);
            deliver(vector);
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void withdraw(int vector) {
        lock.lock();
        try {
            pending.clear(vector);
        } finally {
            lock.unlock();
        }
    }

    /** Signals something else from now on, or nothing. */
    void assign(int vector, @Nullable Descriptor eventfd) {
        Descriptor before = eventfds.getAndSet(vector, eventfd);
        if (before != null) {
            before.close();
        }
        lock.lock();
        try {
            deliver(vector);
        } finally {
            lock.unlock();
        }
    }

    /** Closes all eventfds, and withdraws what was pending. */
    void clear() {
        for (int vector = 0; vector < eventfds.length(); vector++) {
            if (eventfds.get(vector) != null) {
                assign(vector, null);
            }
        }
        withdrawAll();
    }

    /** Withdraws everything that is pending, because the device was reset. */
    void withdrawAll() {
        lock.lock();
        try {
            pending.clear();
        } finally {
            lock.unlock();
        }
    }

    /**
     * A thread that assigns an eventfd looks afterwards at what is pending, so one of the two threads finds both. An
     * eventfd that cannot be signalled was closed just now, and another has taken its place, or none.
     */
    private void deliver(int vector) {
        Descriptor eventfd = eventfds.get(vector);
        while (eventfd != null && pending.get(vector)) {
            pending.set(vector, !eventfd.signal());
            eventfd = eventfds.get(vector);
        }
    }
}
