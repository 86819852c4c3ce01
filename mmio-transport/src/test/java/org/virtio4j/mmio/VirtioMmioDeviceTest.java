// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.mmio;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.virtio4j.device.DeviceContext;
import org.virtio4j.device.ResetKind;
import org.virtio4j.queue.DeviceQueue;
import org.virtio4j.vmm.DmaSpace;
import org.virtio4j.vmm.GuestMemory;
import org.virtio4j.vmm.InterruptLine;
import org.virtio4j.vmm.LittleEndian;
import org.virtio4j.wire.AvailableRing;
import org.virtio4j.wire.DeviceStatus;
import org.virtio4j.wire.DeviceType;
import org.virtio4j.wire.FeatureBit;
import org.virtio4j.wire.MmioRegister;
import org.virtio4j.wire.SplitDescriptor;
import org.virtio4j.wire.UsedRing;

class VirtioMmioDeviceTest {

    /** Above 4 GiB, so that both halves of each address count. */
    private static final long RAM_START = 0x12_3450_0000L;
    private static final long RAM_SIZE = 1 << 20;
    private static final long DESCRIPTORS = RAM_START + 0x1000;
    private static final long AVAILABLE = RAM_START + 0x3000;
    private static final long USED = RAM_START + 0x5000;

    private static final int BIT_OF_TYPE = 5;
    private static final int HIGH_BIT_OF_TYPE = 100;

    private static final long[] WRITE_ONLY = {
        MmioRegister.DEVICE_FEATURES_SEL, MmioRegister.DRIVER_FEATURES, MmioRegister.DRIVER_FEATURES_SEL,
        MmioRegister.QUEUE_SEL, MmioRegister.QUEUE_SIZE, MmioRegister.QUEUE_NOTIFY, MmioRegister.INTERRUPT_ACK,
        MmioRegister.QUEUE_DESC_LOW, MmioRegister.QUEUE_DESC_HIGH, MmioRegister.QUEUE_DRIVER_LOW,
        MmioRegister.QUEUE_DRIVER_HIGH, MmioRegister.QUEUE_DEVICE_LOW, MmioRegister.QUEUE_DEVICE_HIGH,
        MmioRegister.SHM_SEL,
    };
    private static final long[] READ_ONLY = {
        MmioRegister.MAGIC_VALUE, MmioRegister.VERSION, MmioRegister.DEVICE_ID, MmioRegister.VENDOR_ID,
        MmioRegister.DEVICE_FEATURES, MmioRegister.QUEUE_SIZE_MAX, MmioRegister.INTERRUPT_STATUS,
        MmioRegister.SHM_LEN_LOW, MmioRegister.SHM_LEN_HIGH, MmioRegister.SHM_BASE_LOW, MmioRegister.SHM_BASE_HIGH,
        MmioRegister.CONFIG_GENERATION,
    };

    private final GuestMemory memory = GuestMemory.anonymous(RAM_START, RAM_SIZE);
    private final FakeDevice device = new FakeDevice(BIT_OF_TYPE, HIGH_BIT_OF_TYPE);
    private volatile boolean level;
    private VirtioMmioDevice window = windowOf(device);

    @AfterEach
    void closeMemory() {
        memory.close();
    }

    @Test
    void shouldIdentifyItselfWhenTheFirstRegistersAreRead() {
        assertEquals(0x74726976, read(MmioRegister.MAGIC_VALUE));
        assertEquals(2, read(MmioRegister.VERSION));
        assertEquals(DeviceType.ENTROPY, read(MmioRegister.DEVICE_ID));
        assertEquals(VirtioMmioDevice.VENDOR_ID, read(MmioRegister.VENDOR_ID));
    }

    @Test
    void shouldShowTheFeatureWordWhenItIsSelected() {
        assertEquals(1, (deviceFeatures(0) >>> BIT_OF_TYPE) & 1);
        assertEquals(1, (deviceFeatures(1) >>> (FeatureBit.VERSION_1 - 32)) & 1);
        assertEquals(0, deviceFeatures(2));
        assertEquals(1 << (HIGH_BIT_OF_TYPE - 96), deviceFeatures(3));
        assertEquals(0, deviceFeatures(4));
        assertEquals(0, deviceFeatures(0xffff_ffffL));
    }

    @Test
    void shouldAcceptFeaturesWordByWordWhenTheDriverChoosesThem() {
        acknowledge();
        acceptFeatures(0, 1 << BIT_OF_TYPE);
        acceptFeatures(1, 1 << (FeatureBit.VERSION_1 - 32));
        acceptFeatures(3, 1 << (HIGH_BIT_OF_TYPE - 96));
        acceptFeatures(4, -1);
        acceptFeatures(0xffff_ffffL, -1);
        featuresOk();

        assertTrue((read(MmioRegister.STATUS) & DeviceStatus.FEATURES_OK) != 0);
        write(MmioRegister.STATUS, 15);
        assertTrue(context().features().has(BIT_OF_TYPE));
        assertTrue(context().features().has(HIGH_BIT_OF_TYPE));
    }

    @Test
    void shouldLeaveFeaturesOkClearWhenAnUnofferedFeatureIsAccepted() {
        acknowledge();
        acceptFeatures(1, 1 << (FeatureBit.VERSION_1 - 32));
        acceptFeatures(2, 1);
        featuresOk();

        assertEquals(DeviceStatus.ACKNOWLEDGE | DeviceStatus.DRIVER, read(MmioRegister.STATUS));
    }

    @Test
    void shouldShowTheLargestSizeWhenAQueueIsSelected() {
        assertEquals(FakeDevice.QUEUE_SIZE_0, queueRegister(0, MmioRegister.QUEUE_SIZE_MAX));
        assertEquals(FakeDevice.QUEUE_SIZE_1, queueRegister(1, MmioRegister.QUEUE_SIZE_MAX));
    }

    @ParameterizedTest
    @ValueSource(longs = {2, 0x7fff_ffffL, 0x8000_0000L, 0xffff_ffffL})
    void shouldShowAndDoNothingWhenTheSelectedQueueDoesNotExist(long queue) {
        select(queue);
        write(MmioRegister.QUEUE_SIZE, 16);
        write(MmioRegister.QUEUE_READY, 1);
        write(MmioRegister.QUEUE_RESET, 1);

        assertEquals(0, read(MmioRegister.QUEUE_SIZE_MAX));
        assertEquals(0, read(MmioRegister.QUEUE_READY));
        assertEquals(0, read(MmioRegister.QUEUE_RESET));
    }

    @Test
    void shouldReadQueueReadyBackWhenItIsWritten() {
        select(1);
        assertEquals(0, read(MmioRegister.QUEUE_READY));
        write(MmioRegister.QUEUE_READY, 1);
        assertEquals(1, read(MmioRegister.QUEUE_READY));
        assertEquals(0, queueRegister(0, MmioRegister.QUEUE_READY));
        select(1);
        write(MmioRegister.QUEUE_READY, 2);
        assertEquals(1, read(MmioRegister.QUEUE_READY));
        write(MmioRegister.QUEUE_READY, 0);
        assertEquals(0, read(MmioRegister.QUEUE_READY));
    }

    @Test
    void shouldUseTheRingTheDriverPlacedWhenItsSizeAndAddressesWereWritten() {
        start(0, 8);
        offerOneBuffer();
        write(MmioRegister.QUEUE_NOTIFY, 0);

        assertEquals(1, LittleEndian.u16(ram(), USED - RAM_START + UsedRing.IDX));
        assertEquals(3, LittleEndian.i32(ram(), USED - RAM_START + UsedRing.RING + UsedRing.ELEMENT_ID));
    }

    @Test
    void shouldStopUsingTheRingWhenQueueReadyIsCleared() {
        start(0, 8);
        write(MmioRegister.QUEUE_READY, 0);
        offerOneBuffer();
        write(MmioRegister.QUEUE_NOTIFY, 0);

        assertEquals(0, LittleEndian.u16(ram(), USED - RAM_START + UsedRing.IDX));
        assertEquals(List.of(), device.kicks);
    }

    @Test
    void shouldKickTheQueueWhenItsIndexIsWritten() {
        start(1, 8);
        write(MmioRegister.QUEUE_NOTIFY, 1);

        assertEquals(List.of(1), device.kicks);
    }

    @Test
    void shouldKickNobodyWhenTheQueueDoesNotExistOrIsNotEnabled() {
        start(1, 8);
        write(MmioRegister.QUEUE_NOTIFY, 0);
        write(MmioRegister.QUEUE_NOTIFY, 2);
        write(MmioRegister.QUEUE_NOTIFY, 0x1_0001);
        write(MmioRegister.QUEUE_NOTIFY, 0xffff_ffffL);

        assertEquals(List.of(), device.kicks);
    }

    @Test
    void shouldKickNobodyWhenTheDriverIsNotReady() {
        setUpQueue(1, 8);
        write(MmioRegister.QUEUE_NOTIFY, 1);

        assertEquals(List.of(), device.kicks);
    }

    @Test
    void shouldTakeTheIndexFromTheLowHalfWhenNotificationDataWasNegotiated() {
        FakeDevice withData = new FakeDevice(FeatureBit.NOTIFICATION_DATA);
        window = windowOf(withData);
        acknowledge();
        acceptFeatures(1, (1 << (FeatureBit.VERSION_1 - 32)) | (1 << (FeatureBit.NOTIFICATION_DATA - 32)));
        featuresOk();
        setUpQueue(1, 8);
        write(MmioRegister.STATUS, 15);
        withData.kicks.clear();

        write(MmioRegister.QUEUE_NOTIFY, 0x8005_0001L);
        assertEquals(List.of(1), withData.kicks);

        write(MmioRegister.STATUS, 0);
        write(MmioRegister.QUEUE_NOTIFY, 0x8005_0001L);
        assertEquals(List.of(1), withData.kicks);
    }

    @Test
    void shouldHoldTheLineWhileAnEventIsNotAcknowledged() {
        start(0, 8);
        assertEquals(0, read(MmioRegister.INTERRUPT_STATUS));
        assertFalse(level);

        context().interrupt(0);
        assertEquals(MmioRegister.INTERRUPT_USED_BUFFER, read(MmioRegister.INTERRUPT_STATUS));
        context().configChanged();
        assertEquals(3, read(MmioRegister.INTERRUPT_STATUS));
        assertTrue(level);

        write(MmioRegister.INTERRUPT_ACK, MmioRegister.INTERRUPT_USED_BUFFER);
        assertEquals(MmioRegister.INTERRUPT_CONFIG, read(MmioRegister.INTERRUPT_STATUS));
        assertTrue(level);
        write(MmioRegister.INTERRUPT_ACK, 0xffff_ffffL);
        assertEquals(0, read(MmioRegister.INTERRUPT_STATUS));
        assertFalse(level);
    }

    @Test
    void shouldInterruptWhenTheDeviceUsedABuffer() {
        start(0, 8);
        offerOneBuffer();
        write(MmioRegister.QUEUE_NOTIFY, 0);

        assertEquals(MmioRegister.INTERRUPT_USED_BUFFER, read(MmioRegister.INTERRUPT_STATUS));
        assertTrue(level);
    }

    @Test
    void shouldForgetEventsSelectorsAndQueuesWhenStatusIsWrittenZero() {
        start(1, 8);
        write(MmioRegister.DEVICE_FEATURES_SEL, 3);
        write(MmioRegister.DRIVER_FEATURES_SEL, 3);
        context().interrupt(1);
        context().configChanged();

        write(MmioRegister.STATUS, 0);

        assertEquals(0, read(MmioRegister.STATUS));
        assertEquals(List.of(ResetKind.DEVICE), device.resets);
        assertEquals(0, read(MmioRegister.INTERRUPT_STATUS));
        assertFalse(level);
        assertEquals(FakeDevice.QUEUE_SIZE_0, read(MmioRegister.QUEUE_SIZE_MAX), "QueueSel is 0 again");
        assertEquals(0, queueRegister(1, MmioRegister.QUEUE_READY));
        assertEquals(1, (read(MmioRegister.DEVICE_FEATURES) >>> BIT_OF_TYPE) & 1, "DeviceFeaturesSel is 0 again");
        assertDriverFeaturesSelIsZero();
    }

    @ParameterizedTest
    @ValueSource(strings = {"DEVICE", "FUNCTION", "SYSTEM"})
    void shouldResetAsTheEmbedderAsksWhenResetIsCalled(String name) {
        ResetKind kind = ResetKind.valueOf(name);
        start(0, 8);
        context().interrupt(0);
        window.reset(kind);

        assertEquals(List.of(kind), device.resets);
        assertEquals(0, read(MmioRegister.STATUS));
        assertEquals(0, read(MmioRegister.INTERRUPT_STATUS));
        assertFalse(level);
    }

    @Test
    void shouldCallTheLineUnderNoLockWhenADeviceIsReset() {
        VirtioMmioDevice[] own = new VirtioMmioDevice[1];
        window = VirtioMmioDevice.of(device, DmaSpace.identity(memory), up -> {
            Thread other = new Thread(() -> own[0].read(MmioRegister.CONFIG_GENERATION, 4));
            other.start();
            assertTrue(joined(other), "another CPU waits for the thread that calls the line");
        });
        own[0] = window;
        start(0, 8);
        context().interrupt(0);

        assertTimeoutPreemptively(Duration.ofSeconds(20), () -> write(MmioRegister.STATUS, 0));
    }

    @Test
    void shouldShowTheQueueResetAsLongAsItLastsWhenOneIsWritten() throws InterruptedException {
        startWithRingReset(0, 8);
        DeviceQueue queue = Objects.requireNonNull(context().queue(0));
        queue.enter();
        Thread cpu = new Thread(() -> write(MmioRegister.QUEUE_RESET, 1));
        cpu.start();
        assertTimeoutPreemptively(Duration.ofSeconds(20), () -> {
            while (read(MmioRegister.QUEUE_RESET) == 0) {
                Thread.onSpinWait();
            }
        });
        queue.leave();
        cpu.join();

        assertEquals(0, read(MmioRegister.QUEUE_RESET));
        assertEquals(0, read(MmioRegister.QUEUE_READY));
    }

    @Test
    void shouldRunAgainWhenAResetQueueIsSetUpAnew() {
        startWithRingReset(0, 8);
        offerOneBuffer();
        write(MmioRegister.QUEUE_NOTIFY, 0);
        write(MmioRegister.QUEUE_RESET, 1);
        assertEquals(0, read(MmioRegister.QUEUE_READY));

        ram().fill((byte) 0);
        setUpQueue(0, 16);
        assertEquals(0, read(MmioRegister.QUEUE_RESET));
        offerOneBuffer();
        write(MmioRegister.QUEUE_NOTIFY, 0);
        assertEquals(1, LittleEndian.u16(ram(), USED - RAM_START + UsedRing.IDX));
    }

    @Test
    void shouldKeepTheQueueWhenQueueResetWasNotNegotiatedOrIsNotWrittenOne() {
        start(0, 8);
        write(MmioRegister.QUEUE_RESET, 1);
        assertEquals(1, read(MmioRegister.QUEUE_READY));

        write(MmioRegister.STATUS, 0);
        startWithRingReset(0, 8);
        write(MmioRegister.QUEUE_RESET, 2);
        write(MmioRegister.QUEUE_RESET, 0);
        assertEquals(1, read(MmioRegister.QUEUE_READY));
    }

    @Test
    void shouldReadAllOnesWhenAnySharedMemoryRegionIsSelected() {
        for (long region : new long[] {0, 1, 0xff, 0xffff_ffffL}) {
            write(MmioRegister.SHM_SEL, region);
            assertEquals(0xffff_ffffL, read(MmioRegister.SHM_LEN_LOW));
            assertEquals(0xffff_ffffL, read(MmioRegister.SHM_LEN_HIGH));
            assertEquals(0xffff_ffffL, read(MmioRegister.SHM_BASE_LOW));
            assertEquals(0xffff_ffffL, read(MmioRegister.SHM_BASE_HIGH));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 4, 8})
    void shouldReachTheConfigurationWhenAccessedInANaturalWidth(int width) {
        for (int offset = 0; offset <= FakeDevice.CONFIG_SIZE - width; offset++) {
            long value = device.readConfig(offset, width);
            assertEquals(value, window.read(MmioRegister.CONFIG + offset, width));
            window.write(MmioRegister.CONFIG + offset, width, ~value);
            long kept = width == Long.BYTES ? -1 : (1L << (width * Byte.SIZE)) - 1;
            assertEquals(~value & kept, device.readConfig(offset, width));
        }
        assertEquals(0, window.read(MmioRegister.CONFIG + FakeDevice.CONFIG_SIZE - width + 1, width));
        assertEquals(0, window.read(MmioRegister.CONFIG, 3));
    }

    @Test
    void shouldChangeTheGenerationWhenTheConfigurationChangedBetweenReads() {
        start(0, 8);
        long before = read(MmioRegister.CONFIG_GENERATION);
        read(MmioRegister.CONFIG);
        assertEquals(before, read(MmioRegister.CONFIG_GENERATION));

        context().configChanged();
        read(MmioRegister.CONFIG + 4);
        assertNotEquals(before, read(MmioRegister.CONFIG_GENERATION));
    }

    @Test
    void shouldReadZeroWhenARegisterIsWriteOnlyOrNotThere() {
        start(0, 8);
        for (long register : WRITE_ONLY) {
            assertEquals(0, read(register), () -> "register 0x" + Long.toHexString(register));
        }
        for (long gap : new long[] {0x018, 0x028, 0x03c, 0x040, 0x048, 0x0c4, 0x0f8}) {
            assertEquals(0, read(gap), () -> "register 0x" + Long.toHexString(gap));
        }
    }

    @Test
    void shouldChangeNothingWhenAReadOnlyRegisterIsWritten() {
        start(0, 8);
        context().interrupt(0);
        for (long register : READ_ONLY) {
            long before = read(register);
            write(register, ~before);
            assertEquals(before, read(register), () -> "register 0x" + Long.toHexString(register));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 8, 0, 3, -4, Integer.MAX_VALUE, Integer.MIN_VALUE})
    void shouldIgnoreARegisterAccessWhenItsWidthIsNotFour(int width) {
        assertEquals(0, window.read(MmioRegister.MAGIC_VALUE, width));
        window.write(MmioRegister.STATUS, width, 1);
        assertEquals(0, read(MmioRegister.STATUS));
    }

    @Test
    void shouldIgnoreARegisterAccessWhenItIsMisaligned() {
        for (int i = 1; i < 4; i++) {
            assertEquals(0, window.read(MmioRegister.MAGIC_VALUE + i, 4));
            window.write(MmioRegister.STATUS + i, 4, 1);
        }
        assertEquals(0, read(MmioRegister.STATUS));
    }

    @Test
    void shouldUseTheLowBytesWhenAValueIsWiderThanTheRegister() {
        window.write(MmioRegister.STATUS, 4, 0xdead_0000_0001L);
        assertEquals(DeviceStatus.ACKNOWLEDGE, read(MmioRegister.STATUS));
    }

    @Test
    void shouldNeverThrowWhenAGuestAccessesAnythingInAnyWidth() {
        Random random = seeded();
        for (int i = 0; i < 200_000; i++) {
            long offset = hostileOffset(random);
            int width = hostileWidth(random);
            long value = hostileValue(random);
            if (random.nextBoolean()) {
                window.write(offset, width, value);
            } else {
                long seen = window.read(offset, width);
                if (offset < MmioRegister.CONFIG && (width != 4 || offset < 0 || offset % 4 != 0)) {
                    assertEquals(0, seen);
                }
                assertEquals(0, width >= 1 && width < 8 ? seen >>> (width * Byte.SIZE) : 0);
            }
        }
        write(MmioRegister.STATUS, 0);
        start(0, 8);
        offerOneBuffer();
        write(MmioRegister.QUEUE_NOTIFY, 0);
        assertEquals(1, LittleEndian.u16(ram(), USED - RAM_START + UsedRing.IDX));
    }

    @Test
    void shouldRefuseADeviceWhenItNeedsPciOrALargerWindow() {
        IllegalArgumentException admin = assertThrows(IllegalArgumentException.class,
                () -> windowOf(new FakeDevice(FeatureBit.ADMIN_VQ)));
        assertTrue(String.valueOf(admin.getMessage()).contains("PCI"));
        assertThrows(IllegalArgumentException.class, () -> windowOf(new FakeDevice(FeatureBit.SR_IOV)));
        assertEquals(0x200, VirtioMmioDevice.WINDOW_SIZE);
    }

    // What a driver does

    private void start(int queue, int size) {
        negotiate(0);
        setUpQueue(queue, size);
        write(MmioRegister.STATUS, 15);
        device.kicks.clear();
    }

    private void startWithRingReset(int queue, int size) {
        negotiate(1 << (FeatureBit.RING_RESET - 32));
        setUpQueue(queue, size);
        write(MmioRegister.STATUS, 15);
    }

    private void negotiate(int bitsOfWord1) {
        acknowledge();
        acceptFeatures(1, (1 << (FeatureBit.VERSION_1 - 32)) | bitsOfWord1);
        featuresOk();
        assertEquals(11, read(MmioRegister.STATUS));
    }

    private void acknowledge() {
        write(MmioRegister.STATUS, 1);
        write(MmioRegister.STATUS, 3);
    }

    private void featuresOk() {
        write(MmioRegister.STATUS, 11);
    }

    private void acceptFeatures(long word, int bits) {
        write(MmioRegister.DRIVER_FEATURES_SEL, word);
        write(MmioRegister.DRIVER_FEATURES, bits);
    }

    private void setUpQueue(int queue, int size) {
        select(queue);
        write(MmioRegister.QUEUE_SIZE, size);
        writeAddress(MmioRegister.QUEUE_DESC_LOW, MmioRegister.QUEUE_DESC_HIGH, DESCRIPTORS);
        writeAddress(MmioRegister.QUEUE_DRIVER_LOW, MmioRegister.QUEUE_DRIVER_HIGH, AVAILABLE);
        writeAddress(MmioRegister.QUEUE_DEVICE_LOW, MmioRegister.QUEUE_DEVICE_HIGH, USED);
        write(MmioRegister.QUEUE_READY, 1);
        assertEquals(1, read(MmioRegister.QUEUE_READY));
    }

    private void writeAddress(long low, long high, long address) {
        write(low, address);
        write(high, address >>> 32);
    }

    private void offerOneBuffer() {
        long descriptor = DESCRIPTORS - RAM_START + 3 * SplitDescriptor.SIZE;
        LittleEndian.putI64(ram(), descriptor + SplitDescriptor.ADDR, RAM_START + 0x8000);
        LittleEndian.putI32(ram(), descriptor + SplitDescriptor.LEN, 16);
        LittleEndian.putU16(ram(), AVAILABLE - RAM_START + AvailableRing.RING, 3);
        LittleEndian.putU16Release(ram(), AVAILABLE - RAM_START + AvailableRing.IDX, 1);
    }

    /** The selector cannot be read, so a feature is accepted through it: in word 3 VERSION_1 would not arrive. */
    private void assertDriverFeaturesSelIsZero() {
        acknowledge();
        write(MmioRegister.DRIVER_FEATURES, 1 << BIT_OF_TYPE);
        acceptFeatures(1, 1 << (FeatureBit.VERSION_1 - 32));
        featuresOk();
        write(MmioRegister.STATUS, 15);
        assertTrue(context().features().has(BIT_OF_TYPE));
    }

    private long deviceFeatures(long word) {
        write(MmioRegister.DEVICE_FEATURES_SEL, word);
        return read(MmioRegister.DEVICE_FEATURES);
    }

    private long queueRegister(long queue, long register) {
        select(queue);
        return read(register);
    }

    private void select(long queue) {
        write(MmioRegister.QUEUE_SEL, queue);
    }

    private long read(long register) {
        return window.read(register, 4);
    }

    private void write(long register, long value) {
        window.write(register, 4, value);
    }

    private MemorySegment ram() {
        return memory.map().region(0).segment();
    }

    private DeviceContext context() {
        return Objects.requireNonNull(device.context);
    }

    private VirtioMmioDevice windowOf(FakeDevice behind) {
        InterruptLine line = up -> level = up;
        return VirtioMmioDevice.of(behind, DmaSpace.identity(memory), line);
    }

    private static boolean joined(Thread thread) {
        try {
            return thread.join(Duration.ofSeconds(10));
        } catch (InterruptedException stopped) {
            return false;
        }
    }

    private static Random seeded() {
        long seed = Long.getLong("virtio4j.seed", System.nanoTime());
        System.out.println("virtio4j.seed=" + seed);
        return new Random(seed);
    }

    private static long hostileOffset(Random random) {
        return switch (random.nextInt(6)) {
            case 0 -> random.nextLong();
            case 1 -> MmioRegister.CONFIG + random.nextInt(-8, 64);
            case 2 -> random.nextInt(0x100);
            case 3 -> Long.MAX_VALUE - random.nextInt(8);
            default -> 4L * random.nextInt(0x40);
        };
    }

    private static int hostileWidth(Random random) {
        return switch (random.nextInt(8)) {
            case 0 -> random.nextInt();
            case 1 -> random.nextInt(-1, 17);
            case 2 -> 1 << random.nextInt(4);
            default -> 4;
        };
    }

    private static long hostileValue(Random random) {
        return switch (random.nextInt(4)) {
            case 0 -> random.nextLong();
            case 1 -> 1L << random.nextInt(64);
            case 2 -> RAM_START + 4096L * random.nextInt(256);
            default -> random.nextInt(16);
        };
    }
}
