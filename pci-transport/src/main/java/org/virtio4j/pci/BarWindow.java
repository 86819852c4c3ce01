// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.pci;

import java.util.concurrent.locks.ReentrantLock;

/**
 * The window on the BARs in configuration space, for guests that cannot map BARs (virtio 1.4, section 4.1.4.9). Any
 * thread; the structures are accessed under no lock.
 */
final class BarWindow {

    private final ReentrantLock lock;
    private final PciConfigSpace space;
    private final BarAccess bars;

    BarWindow(ReentrantLock lock, PciConfigSpace space, BarAccess bars) {
        this.lock = lock;
        this.space = space;
        this.bars = bars;
    }

    /** Brings what the window shows into its data register, which is read next. */
    void load() {
        int bar;
        long offset;
        int length;
        lock.lock();
        try {
            bar = space.windowBar();
            offset = space.windowOffset();
            length = space.windowLength();
        } finally {
            lock.unlock();
        }
        boolean valid = bars.isWindow(bar, offset, length);
        long value = valid ? bars.read(bar, offset, length) : 0;
        lock.lock();
        try {
            space.windowData(valid ? length : Integer.BYTES, (int) value);
        } finally {
            lock.unlock();
        }
    }

    /** Writes what was written to the data register to where the window is. */
    void store() {
        int bar;
        long offset;
        int length;
        int data;
        lock.lock();
        try {
            bar = space.windowBar();
            offset = space.windowOffset();
            length = space.windowLength();
            data = space.windowData();
        } finally {
            lock.unlock();
        }
        if (bars.isWindow(bar, offset, length)) {
            bars.write(bar, offset, length, data);
        }
    }
}
