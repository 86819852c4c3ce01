// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.device.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.virtio4j.device.DeviceContext;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.fixture.RecordingDevice;
import org.virtio4j.fixture.Seeds;
import org.virtio4j.vmm.GuestMemory;
import org.virtio4j.wire.FeatureBit;

/** Drivers that do everything in any order, beside a model of what the text says of status, features and queues. */
class LifecycleModelTest {

    private static final int STEPS = 200_000;
    private static final int QUEUES = 2;
    private static final int DRIVERS_BITS = 0x8f;
    private static final int FEATURES_OK = 8;
    private static final int DRIVER_OK = 4;
    private static final int NEEDS_RESET = 0x40;
    private static final long RING = 0x10_0000;
    private static final int[] SIZES = {RecordingDevice.SIZE_0, RecordingDevice.SIZE_1};
    private static final int[] STATUSES = {
        0, 1, 3, 11, 15, 15, 15, 11, 3, 2, 10, 14, 0x83, 0x8f, 0x8e, 0x40, 0x4f, 0x100, 7, 4, 8, 6, 12,
    };

    /** One queue of the model. */
    private static final class Queue {

        private final int sizeMax;
        private final Map<QueueArea, Long> areas = new EnumMap<>(QueueArea.class);
        private int size;
        private boolean untaken;
        private boolean enabled;

        Queue(int sizeMax) {
            this.sizeMax = sizeMax;
            reset();
        }

        void reset() {
            for (QueueArea area : QueueArea.values()) {
                areas.put(area, 0L);
            }
            size = sizeMax;
            untaken = false;
            enabled = false;
        }

        /** Section 2.7: 16, 2 and 4. */
        boolean canBeEnabled() {
            return !untaken && address(QueueArea.DESCRIPTOR) % 16 == 0 && address(QueueArea.DRIVER) % 2 == 0
                    && address(QueueArea.DEVICE) % 4 == 0;
        }

        long address(QueueArea area) {
            return Objects.requireNonNull(areas.get(area));
        }
    }

    /** From 0 on, since a queue whose addresses were not written has its areas there. */
    private final GuestMemory memory = GuestMemory.anonymous(0, RING + 0x2_0000);
    private final RecordingDevice device = new RecordingDevice();
    private final DeviceLifecycle lifecycle = new DeviceLifecycle(device, DmaSpace.identity(memory), new Signals(),
            Long.MAX_VALUE);
    private final int[] offered = new int[4];
    private final Random random = new Random(Seeds.next());

    // The model

    private final Queue[] queues = {new Queue(SIZES[0]), new Queue(SIZES[1])};
    private final int[] written = new int[4];
    private int status;
    private boolean active;

    @AfterEach
    void closeMemory() {
        memory.close();
    }

    @Test
    @DisplayName("2.1, 2.2, 2.6.1, 3.1.1: whatever the order, status, features and queues are as the text has them")
    void shouldBeAsTheModelWhateverADriverDoes() {
        for (int word = 0; word < 4; word++) {
            offered[word] = lifecycle.features().offered(word);
        }
        for (int step = 0; step < STEPS; step++) {
            step(random.nextInt(QUEUES));
            compare("step " + step);
            device.take();
            device.stopped.clear();
            device.negotiated.clear();
        }
    }

    private void step(int queue) {
        switch (random.nextInt(10)) {
            case 0, 1, 2 -> writeStatus(STATUSES[random.nextInt(STATUSES.length)]);
            case 3, 4 -> writeFeatures();
            case 5 -> writeSize(queue);
            case 6 -> writeAddress(queue);
            case 7 -> enable(queue);
            case 8 -> end(queue);
            default -> {
                if (active && random.nextInt(4) == 0) {
                    device.active().needsReset("a test");
                    status |= NEEDS_RESET;
                }
            }
        }
    }

    private void writeStatus(int value) {
        lifecycle.writeStatus(value);
        if (value == 0) {
            status = 0;
            active = false;
            Arrays.fill(written, 0);
            for (Queue queue : queues) {
                queue.reset();
            }
            return;
        }
        int wanted = value & DRIVERS_BITS;
        boolean clears = (status & DRIVERS_BITS & ~wanted) != 0;
        if (!clears && inOrder(wanted & 0xf)) {
            boolean refused = (wanted & ~status & FEATURES_OK) != 0 && !isAcceptable();
            int granted = refused ? wanted & ~(FEATURES_OK | DRIVER_OK) : wanted;
            active |= (granted & DRIVER_OK) != 0;
            status |= granted;
        }
    }

    /** DRIVER 2, FEATURES_OK 8, DRIVER_OK 4, each after the one before; ACKNOWLEDGE 1 with or without them. */
    private static boolean inOrder(int bits) {
        int steps = bits & ~1;
        return steps == 0 || steps == 2 || steps == 10 || steps == 14;
    }

    private boolean isAcceptable() {
        boolean within = true;
        for (int word = 0; word < 4; word++) {
            within &= (written[word] & ~offered[word]) == 0;
        }
        return within && (written[1] & 1) != 0;
    }

    private void writeFeatures() {
        int word = random.nextInt(6);
        int own = word < 4 ? offered[word] : -1;
        int bits = switch (random.nextInt(8)) {
            case 0 -> random.nextInt();
            case 1 -> 0;
            case 2, 3 -> own & random.nextInt();
            default -> own;
        };
        lifecycle.features().accept(word, bits);
        if (word < 4 && (status & FEATURES_OK) == 0) {
            written[word] = bits;
        }
    }

    private void writeSize(int index) {
        Queue queue = queues[index];
        long size = random.nextBoolean() ? 1L << random.nextInt(8) : random.nextInt(-1, 80);
        boolean shown = random.nextBoolean();
        lifecycle.queues().writeSize(index, size, shown);
        if (!queue.enabled) {
            boolean taken = size > 0 && size <= queue.sizeMax && Long.bitCount(size) == 1;
            queue.size = taken ? (int) size : queue.size;
            queue.untaken = !taken && !shown;
        }
    }

    private void writeAddress(int index) {
        QueueArea area = List.of(QueueArea.values()).get(random.nextInt(3));
        long address = RING + 0x1000L * random.nextInt(16) + (random.nextInt(4) == 0 ? random.nextInt(32) : 0);
        lifecycle.queues().writeAddress(index, area, address);
        if (!queues[index].enabled) {
            queues[index].areas.put(area, address);
        }
    }

    private void enable(int index) {
        Queue queue = queues[index];
        lifecycle.queues().enable(index);
        if (!queue.enabled && queue.canBeEnabled()) {
            queue.enabled = true;
        } else if (!queue.enabled) {
            status |= NEEDS_RESET;
        }
    }

    private void end(int index) {
        Queue queue = queues[index];
        if (random.nextBoolean()) {
            lifecycle.queues().disable(index);
            queue.enabled = false;
            return;
        }
        lifecycle.queues().reset(index);
        boolean negotiated = (status & FEATURES_OK) != 0
                && (written[1] & 1 << (FeatureBit.RING_RESET - Integer.SIZE)) != 0;
        if (negotiated) {
            queue.reset();
        }
    }

    private void compare(String step) {
        assertEquals(status, lifecycle.status(), step);
        assertEquals((status & NEEDS_RESET) != 0, !lifecycle.needsResetReason().isEmpty(), step);
        DeviceContext context = device.context;
        assertEquals(active, context != null, step);
        for (int word = 0; word < 4; word++) {
            assertEquals(written[word] & offered[word], lifecycle.features().accepted(word), step);
        }
        for (int index = 0; index < QUEUES; index++) {
            Queue queue = queues[index];
            assertEquals(queue.size, lifecycle.queues().size(index), step);
            assertEquals(queue.enabled, lifecycle.queues().isEnabled(index), step);
            for (QueueArea area : QueueArea.values()) {
                assertEquals(queue.address(area), lifecycle.queues().address(index, area), step);
            }
            boolean open = context != null && context.queue(index) != null;
            assertEquals(queue.enabled && active, open, step);
        }
    }
}
