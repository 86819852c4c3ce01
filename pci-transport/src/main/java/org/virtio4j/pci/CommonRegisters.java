// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.pci;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.virtio4j.device.transport.DeviceLifecycle;
import org.virtio4j.device.transport.QueueArea;
import org.virtio4j.device.transport.QueueSet;
import org.virtio4j.vmm.FirstFailure;
import org.virtio4j.wire.pci.CommonConfig;

/**
 * The common configuration structure (virtio 1.4, section 4.1.4.3): decodes accesses and hands them to the life cycle
 * and to the function's interrupts. Any thread; each selector is one value of the device, so a guest whose CPUs set up
 * queues at the same time must take turns.
 *
 * <p>A field answers in its own width alone, one of 8 bytes also in two halves. Any other access reads 0 and writes
 * nothing, and so does one against a field's direction.
 */
final class CommonRegisters {

    private final DeviceLifecycle lifecycle;
    private final QueueSet queues;
    private final FunctionInterrupts interrupts;

    private volatile int deviceFeatureSelect;
    private volatile int driverFeatureSelect;
    private volatile int queueSelect;

    /** How many threads are resetting the device, and what its status was before; which is read meanwhile. */
    private final AtomicInteger resetting = new AtomicInteger();
    private volatile int statusBefore;

    /** The same for each queue. */
    private final AtomicIntegerArray queuesResetting;

    CommonRegisters(DeviceLifecycle lifecycle, FunctionInterrupts interrupts) {
        this.lifecycle = lifecycle;
        this.queues = lifecycle.queues();
        this.interrupts = interrupts;
        this.queuesResetting = new AtomicIntegerArray(queues.count());
    }

    long read(int offset, int width) {
        return switch (width) {
            case Byte.BYTES -> read8(offset);
            case Short.BYTES -> read16(offset);
            case Integer.BYTES -> Integer.toUnsignedLong(read32(offset));
            case Long.BYTES -> isWholeAddress(offset) ? address(offset) : 0;
            default -> 0;
        };
    }

    void write(int offset, int width, long value) {
        switch (width) {
            case Byte.BYTES -> write8(offset, (int) value & 0xff);
            case Short.BYTES -> write16(offset, (int) value & 0xffff);
            case Integer.BYTES -> write32(offset, (int) value);
            case Long.BYTES -> {
                if (isWholeAddress(offset)) {
                    queues.writeAddress(queueSelect, area(offset), value);
                }
            }
            default -> {
                // No field has such a width.
            }
        }
    }

    /** The device was reset. */
    void resetSelectors() {
        deviceFeatureSelect = 0;
        driverFeatureSelect = 0;
        queueSelect = 0;
    }

    private int read8(int offset) {
        return switch (offset) {
            case (int) CommonConfig.DEVICE_STATUS -> status();
            case (int) CommonConfig.CONFIG_GENERATION -> lifecycle.config().configGeneration() & 0xff;
            default -> 0;
        };
    }

    private int read16(int offset) {
        return switch (offset) {
            case (int) CommonConfig.CONFIG_MSIX_VECTOR -> interrupts.configVector();
            case (int) CommonConfig.NUM_QUEUES -> queues.count();
            case (int) CommonConfig.QUEUE_SELECT -> queueSelect;
            case (int) CommonConfig.QUEUE_SIZE -> queues.size(queueSelect);
            case (int) CommonConfig.QUEUE_MSIX_VECTOR -> interrupts.queueVector(queueSelect);
            case (int) CommonConfig.QUEUE_ENABLE -> queues.isEnabled(queueSelect) ? 1 : 0;
            case (int) CommonConfig.QUEUE_NOTIFY_OFF, (int) CommonConfig.QUEUE_NOTIF_CONFIG_DATA ->
                    queueSelect < queues.count() ? queueSelect : 0;
            case (int) CommonConfig.QUEUE_RESET -> queueResetting(queueSelect) ? 1 : 0;
            default -> 0;
        };
    }

    private int read32(int offset) {
        return switch (offset) {
            case (int) CommonConfig.DEVICE_FEATURE_SELECT -> deviceFeatureSelect;
            case (int) CommonConfig.DEVICE_FEATURE ->
                    lifecycle.features().offered(Integer.toUnsignedLong(deviceFeatureSelect));
            case (int) CommonConfig.DRIVER_FEATURE_SELECT -> driverFeatureSelect;
            case (int) CommonConfig.DRIVER_FEATURE ->
                    lifecycle.features().accepted(Integer.toUnsignedLong(driverFeatureSelect));
            default -> isAddress(offset) ? (int) (address(offset) >>> halfShift(offset)) : 0;
        };
    }

    private void write8(int offset, int value) {
        if (offset == CommonConfig.DEVICE_STATUS) {
            if (value == 0) {
                reset();
            } else {
                lifecycle.writeStatus(value);
            }
        }
    }

    private void reset() {
        Throwable thrown = FirstFailure.after(null, () -> statusBefore = lifecycle.status());
        resetting.incrementAndGet();
        thrown = FirstFailure.after(thrown, () -> lifecycle.writeStatus(0));
        thrown = FirstFailure.after(thrown, interrupts::awaitWithdrawn);
        resetting.decrementAndGet();
        FirstFailure.throwIt(thrown);
    }

    /** Section 2.4.1: 0 says that no interrupt comes any more, so it is not read while one is on its way. */
    private int status() {
        int status = lifecycle.status(interrupts::awaitWithdrawn);
        return status == 0 && resetting.get() != 0 ? statusBefore : status;
    }

    private void write16(int offset, int value) {
        switch (offset) {
            case (int) CommonConfig.CONFIG_MSIX_VECTOR -> interrupts.configVector(value);
            case (int) CommonConfig.QUEUE_SELECT -> queueSelect = value;
            case (int) CommonConfig.QUEUE_SIZE -> queues.writeSize(queueSelect, value, true);
            case (int) CommonConfig.QUEUE_MSIX_VECTOR -> interrupts.queueVector(queueSelect, value);
            case (int) CommonConfig.QUEUE_ENABLE -> enable(value);
            case (int) CommonConfig.QUEUE_RESET -> resetQueue(value);
            default -> {
                // Read-only, or not 2 bytes wide.
            }
        }
    }

    private void write32(int offset, int value) {
        switch (offset) {
            case (int) CommonConfig.DEVICE_FEATURE_SELECT -> deviceFeatureSelect = value;
            case (int) CommonConfig.DRIVER_FEATURE_SELECT -> driverFeatureSelect = value;
            case (int) CommonConfig.DRIVER_FEATURE ->
                    lifecycle.features().accept(Integer.toUnsignedLong(driverFeatureSelect), value);
            default -> {
                if (isAddress(offset)) {
                    writeAddressHalf(offset, value);
                }
            }
        }
    }

    /** A driver must not write 0 (section 4.1.4.3.2), and other values are not defined: they change nothing. */
    private void enable(int value) {
        if (value == 1) {
            queues.enable(queueSelect);
        }
    }

    private void resetQueue(int value) {
        int queue = queueSelect;
        if (value != 1 || queue >= queuesResetting.length()) {
            return;
        }
        queuesResetting.incrementAndGet(queue);
        // A reset that throws has begun.
        boolean[] begun = {true};
        Throwable thrown = FirstFailure.after(null, () -> begun[0] = queues.reset(queue));
        if (begun[0]) {
            thrown = FirstFailure.after(thrown, () -> interrupts.queueVector(queue, CommonConfig.NO_VECTOR));
        }
        queuesResetting.decrementAndGet(queue);
        FirstFailure.throwIt(thrown);
    }

    /** Section 4.1.4.3.1: until the last interrupt of the queue has left, too. */
    private boolean queueResetting(int queue) {
        return queues.isResetting(queue)
                || (queue < queuesResetting.length() && queuesResetting.get(queue) != 0);
    }

    /** The three addresses follow each other, 8 bytes each, accessed in halves as a rule. */
    private static boolean isAddress(int offset) {
        return offset >= CommonConfig.QUEUE_DESC && offset < CommonConfig.QUEUE_NOTIF_CONFIG_DATA
                && offset % Integer.BYTES == 0;
    }

    private static boolean isWholeAddress(int offset) {
        return isAddress(offset) && offset % Long.BYTES == 0;
    }

    private static QueueArea area(int offset) {
        if (offset < CommonConfig.QUEUE_DRIVER) {
            return QueueArea.DESCRIPTOR;
        }
        return offset < CommonConfig.QUEUE_DEVICE ? QueueArea.DRIVER : QueueArea.DEVICE;
    }

    private static int halfShift(int offset) {
        return offset % Long.BYTES * Byte.SIZE;
    }

    private long address(int offset) {
        return queues.address(queueSelect, area(offset));
    }

    private void writeAddressHalf(int offset, int bits) {
        if (halfShift(offset) == 0) {
            queues.writeAddressLow(queueSelect, area(offset), bits);
        } else {
            queues.writeAddressHigh(queueSelect, area(offset), bits);
        }
    }
}
