// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.device.transport;

import java.util.concurrent.locks.ReentrantLock;
import org.virtio4j.device.VirtioDevice;

/**
 * The device configuration as a transport shows it, and the configuration generation (virtio 1.4, section 2.5).
 *
 * <p>Any thread. Reading takes a lock of its own, the last in the order of locks, so a configuration can be read under
 * any other lock. An IOMMU's listener, for example, may read it while another thread starts or resets the device and
 * waits for that IOMMU. Writing takes the control lock.
 */
public final class ConfigWindow {

    private final LifecycleState state;
    private final VirtioDevice device;
    private final int size;
    private final ReentrantLock reading = new ReentrantLock();

    private volatile boolean dirty;

    /** Guarded by {@link #reading}, as is what the device said when its configuration was read last. */
    private int configGeneration;
    private int version;

    ConfigWindow(LifecycleState state) {
        this.state = state;
        this.device = state.device;
        this.size = state.info.configSize();
        this.version = device.configVersion();
    }

    /**
     * Reads the device configuration.
     *
     * @param offset bytes, anything
     * @param width  bytes
     * @return the value, zero-extended; 0 for what lies not wholly inside or has no natural width
     */
    public long read(long offset, int width) {
        if (!isInside(offset, width)) {
            return 0;
        }
        reading.lock();
        try {
            return state.givenUp ? 0 : readInside((int) offset, width);
        } finally {
            reading.unlock();
        }
    }

    /**
     * Writes the device configuration; ignored where {@link #read} would give 0 for its place.
     *
     * @param offset bytes, anything
     * @param width  bytes
     * @param value  its low {@code width} bytes count
     */
    public void write(long offset, int width, long value) {
        state.lock.lock();
        try {
            if (isInside(offset, width) && !state.givenUp) {
                device.writeConfig((int) offset, width, value);
            }
        } finally {
            state.lock.unlock();
        }
    }

    /**
     * The configuration generation: it differs after a changed configuration was read (section 4.1.4.3.1).
     *
     * @return a number of which a transport shows as many bits as it has
     */
    public int configGeneration() {
        reading.lock();
        try {
            return configGeneration;
        } finally {
            reading.unlock();
        }
    }

    /** Says that the configuration has changed. Any thread, no lock. */
    void changed() {
        dirty = true;
    }

    /** Refuses reads and writes from now on, because the device is given up. Under the control lock. */
    void giveUp() {
        reading.lock();
        try {
            state.givenUp = true;
        } finally {
            reading.unlock();
        }
    }

    private long readInside(int offset, int width) {
        long value = device.readConfig(offset, width);
        // Asked after the value was read, because it may change meanwhile: a driver that read a part of it before must
        // notice (section 2.5.1).
        int now = device.configVersion();
        if (dirty || now != version) {
            dirty = false;
            version = now;
            configGeneration++;
        }
        return value;
    }

    private boolean isInside(long offset, int width) {
        boolean natural = width == 1 || width == 2 || width == 4 || width == 8;
        return natural && offset >= 0 && offset <= size - width;
    }
}
