// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.drivers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.virtio4j.device.transport.QueueArea;
import org.virtio4j.fixture.DriverRing;
import org.virtio4j.fixture.Parked;
import org.virtio4j.transport.Port;
import org.virtio4j.transport.Register;
import org.virtio4j.wire.AvailableRing;
import org.virtio4j.wire.DeviceStatus;
import org.virtio4j.wire.FeatureBit;
import org.virtio4j.wire.block.BlockConfig;

/** What the drivers have in common: a split ring on queue 0, one request at a time, polled. */
abstract class FieldDriver {

    static final int ACKNOWLEDGE = DeviceStatus.ACKNOWLEDGE;
    static final int DRIVER = DeviceStatus.DRIVER;
    static final int FEATURES_OK = DeviceStatus.FEATURES_OK;
    static final int DRIVER_OK = DeviceStatus.DRIVER_OK;
    static final int NO_VECTOR = 0xffff;
    static final int INDEX_MASK = 0xffff;

    final FieldGuest guest;
    final Port port;
    private @Nullable DriverRing ring;
    private int next;
    private int used;

    FieldDriver(FieldGuest guest) {
        this.guest = guest;
        this.port = guest.port;
    }

    /** From whatever the device was in to DRIVER_OK. */
    abstract void start();

    /** How many sectors the disk has. */
    long capacity() {
        return half(BlockConfig.CAPACITY) | half(BlockConfig.CAPACITY + Integer.BYTES) << Integer.SIZE;
    }

    /** The driver's end; somebody else may come. */
    abstract void leave();

    // Requests

    /** Has a chain served; bytes that the device says it wrote. */
    final int request(DriverRing.Buffer... chain) {
        int head = offer(chain);
        Parked.until(() -> ring().usedIndex() == ((used + 1) & INDEX_MASK));
        assertEquals(head, ring().usedId(used));
        int length = ring().usedLength(used);
        used = (used + 1) & INDEX_MASK;
        served();
        return length;
    }

    /** Makes a chain available and notifies; where it begins. */
    final int offer(DriverRing.Buffer... chain) {
        int head = head(chain.length);
        lay(head, chain);
        ring().offer(head);
        notifyQueue();
        return head;
    }

    int head(int length) {
        int at = next + length > ring().size() ? 0 : next;
        next = at + length;
        return at;
    }

    void lay(int head, DriverRing.Buffer... chain) {
        ring().chain(head, chain);
    }

    void notifyQueue() {
        port.notifyQueue(0);
    }

    void served() {
    }

    final DriverRing ring() {
        return Objects.requireNonNull(ring);
    }

    /** What has been taken from the used ring. */
    final int used() {
        return used;
    }

    // Steps

    final int status() {
        return (int) port.read(Register.STATUS);
    }

    final void status(int value) {
        port.write(Register.STATUS, value);
    }

    final void add(int bit) {
        status(status() | bit);
    }

    final void reset() {
        status(0);
    }

    final void awaitReset() {
        Parked.until(() -> status() == 0);
    }

    final void assertFeaturesOk() {
        assertNotEquals(0, status() & FEATURES_OK, "the device refuses the features");
    }

    final int offered(int word) {
        port.write(Register.DEVICE_FEATURE_SELECT, word);
        return (int) port.read(Register.DEVICE_FEATURE);
    }

    /** Accepts what is offered of these bits and VERSION_1. */
    final void accept(int... bits) {
        acceptWord(0, bits);
        acceptWord(1, bits);
    }

    final void acceptWord(int word, int... bits) {
        int wanted = word == 1 ? mask(word, FeatureBit.VERSION_1) : 0;
        for (int bit : bits) {
            wanted |= mask(word, bit);
        }
        int accepted = wanted & offered(word);
        port.write(Register.DRIVER_FEATURE_SELECT, word);
        port.write(Register.DRIVER_FEATURE, Integer.toUnsignedLong(accepted));
    }

    static int mask(int word, int bit) {
        return bit / Integer.SIZE == word ? 1 << bit % Integer.SIZE : 0;
    }

    final void writeSize(int size) {
        port.write(0, Register.QUEUE_SIZE, size);
    }

    /** Lays a ring out, the used ring at some alignment. */
    final DriverRing layRing(int size, long usedAlignment) {
        DriverRing laid = guest.ring(size, usedAlignment);
        ring = laid;
        next = 0;
        used = 0;
        return laid;
    }

    final void placeRing() {
        guest.place(QueueArea.DESCRIPTOR, ring().descriptors());
        guest.place(QueueArea.DRIVER, ring().available());
        guest.place(QueueArea.DEVICE, ring().used());
    }

    final void enable(int value) {
        port.write(0, Register.QUEUE_ENABLE, value);
    }

    final void clearAddresses() {
        for (QueueArea area : QueueArea.values()) {
            guest.place(area, 0);
        }
    }

    final void wantNoInterrupt() {
        ring().availableFlags(AvailableRing.FLAG_NO_INTERRUPT);
    }

    final long half(long offset) {
        return port.readConfig(offset, Integer.BYTES);
    }

    final long bytes(long offset, int count) {
        long value = 0;
        for (int i = count - 1; i >= 0; i--) {
            value = value << Byte.SIZE | port.readConfig(offset + i, Byte.BYTES);
        }
        return value;
    }
}
