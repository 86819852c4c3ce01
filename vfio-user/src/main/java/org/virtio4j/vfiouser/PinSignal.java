// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vfiouser;

import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.virtio4j.os.Descriptor;
import org.virtio4j.vmm.InterruptLine;

/**
 * The pin as an eventfd of the client, by the rules of VFIO. A level cannot be sent, so a high level is signalled once
 * and then masked until the client unmasks it. If it is still high then, it is signalled again. Without an eventfd
 * nothing is signalled, and a guest that polls finds the ISR status.
 *
 * <p>Any thread sets the level; the socket's thread does the rest.
 */
final class PinSignal implements InterruptLine {

    private final ReentrantLock lock = new ReentrantLock();
    private @Nullable Descriptor eventfd;
    private boolean level;
    private boolean masked;

    @Override
    public void set(boolean newLevel) {
        lock.lock();
        try {
            level = newLevel;
            signal();
        } finally {
            lock.unlock();
        }
    }

    void mask(boolean newMasked) {
        lock.lock();
        try {
            masked = newMasked;
            signal();
        } finally {
            lock.unlock();
        }
    }

    /** Signals something else from now on, or nothing; it begins unmasked. */
    void assign(@Nullable Descriptor newEventfd) {
        lock.lock();
        try {
            if (eventfd != null) {
                eventfd.close();
            }
            eventfd = newEventfd;
            masked = false;
            signal();
        } finally {
            lock.unlock();
        }
    }

    /** As if the pin had been raised, whatever its level. */
    void trigger() {
        lock.lock();
        try {
            if (eventfd != null && !masked) {
                masked = true;
                eventfd.signal();
            }
        } finally {
            lock.unlock();
        }
    }

    /** A signal does not wait, or for a second where the client wants it so; then the lock may be held. */
    private void signal() {
        if (level && !masked && eventfd != null) {
            masked = true;
            eventfd.signal();
        }
    }
}
