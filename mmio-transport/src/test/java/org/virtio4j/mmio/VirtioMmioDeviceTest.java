// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.mmio;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.virtio4j.device.DeviceContext;
import org.virtio4j.device.ResetKind;
import org.virtio4j.dma.DmaSpace;
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

/** Section 4.2: what only virtio-mmio has. What a driver sees on any transport is tested for all of them at once. */
class VirtioMmioDeviceTest {

    /** Above 4 GiB, so that both halves of each address count. */
    private static final long RAM_START = 0x12_3450_0000L;
    private static final long RAM_SIZE = 1 << 20;
    private static final long DESCRIPTORS = RAM_START + 0x1000;
    private static final long AVAILABLE = RAM_START + 0x3000;
    private static final long USED = RAM_START + 0x5000;

    private static final int BIT_OF_TYPE = 5;

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
    private final FakeDevice device = new FakeDevice(BIT_OF_TYPE);
    private volatile boolean level;
    private VirtioMmioDevice window = windowOf(device);

    @AfterEach
    void closeMemory() {
        memory.close();
    }

    @Test
    @DisplayName("4.2.2: the first registers say what device this is")
    void shouldIdentifyItselfWhenTheFirstRegistersAreRead() {
        assertEquals(0x74726976, read(MmioRegister.MAGIC_VALUE));
        assertEquals(2, read(MmioRegister.VERSION));
        assertEquals(DeviceType.ENTROPY, read(MmioRegister.DEVICE_ID));
        assertEquals(VirtioMmioDevice.VENDOR_ID, read(MmioRegister.VENDOR_ID));
    }

    @Test
    @DisplayName("4.2.2: QueueReady reads as it was written, 0 or 1, for the selected queue")
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
    @DisplayName("4.2.2: a queue whose QueueReady was written 0 is not used")
    void shouldStopUsingTheRingWhenQueueReadyIsCleared() {
        start(0, 8);
        write(MmioRegister.QUEUE_READY, 0);
        offerOneBuffer();
        write(MmioRegister.QUEUE_NOTIFY, 0);

        assertEquals(0, LittleEndian.u16(ram(), USED - RAM_START + UsedRing.IDX));
        assertEquals(List.of(), device.kicks);
    }

    @Test
    @DisplayName("4.2.3.3: with NOTIFICATION_DATA the index is in the low half of QueueNotify")
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
    @DisplayName("4.2.2, 4.2.3.4: the line is high until InterruptACK has every bit of InterruptStatus")
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
    @DisplayName("4.2.2.1: a reset clears InterruptStatus, and the line falls")
    void shouldClearEventsAndSelectorsWhenStatusIsWrittenZero() {
        start(1, 8);
        write(MmioRegister.DEVICE_FEATURES_SEL, 3);
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
    }

    @ParameterizedTest
    @ValueSource(strings = {"DEVICE", "FUNCTION", "SYSTEM"})
    @DisplayName("The line falls when the embedder resets the device")
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
    @DisplayName("The line is called under no lock")
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
    @DisplayName("4.2.2: length and base of a shared memory region that does not exist are all ones")
    void shouldReadAllOnesWhenAnySharedMemoryRegionIsSelected() {
        for (long region : new long[] {0, 1, 0xff, 0xffff_ffffL}) {
            write(MmioRegister.SHM_SEL, region);
            assertEquals(0xffff_ffffL, read(MmioRegister.SHM_LEN_LOW));
            assertEquals(0xffff_ffffL, read(MmioRegister.SHM_LEN_HIGH));
            assertEquals(0xffff_ffffL, read(MmioRegister.SHM_BASE_LOW));
            assertEquals(0xffff_ffffL, read(MmioRegister.SHM_BASE_HIGH));
        }
    }

    @Test
    @DisplayName("4.2.2.1: what cannot be read, or is not there, reads 0")
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
    @DisplayName("4.2.2.1: what cannot be written does not change")
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
    @DisplayName("4.2.2.2: registers answer to 4 bytes alone")
    void shouldIgnoreARegisterAccessWhenItsWidthIsNotFour(int width) {
        assertEquals(0, window.read(MmioRegister.MAGIC_VALUE, width));
        window.write(MmioRegister.STATUS, width, 1);
        assertEquals(0, read(MmioRegister.STATUS));
    }

    @Test
    @DisplayName("4.2.2.2: registers answer to aligned accesses alone")
    void shouldIgnoreARegisterAccessWhenItIsMisaligned() {
        for (int i = 1; i < 4; i++) {
            assertEquals(0, window.read(MmioRegister.MAGIC_VALUE + i, 4));
            window.write(MmioRegister.STATUS + i, 4, 1);
        }
        assertEquals(0, read(MmioRegister.STATUS));
    }

    @Test
    @DisplayName("The low 4 bytes of what an embedder hands over are written")
    void shouldUseTheLowBytesWhenAValueIsWiderThanTheRegister() {
        window.write(MmioRegister.STATUS, 4, 0xdead_0000_0001L);
        assertEquals(DeviceStatus.ACKNOWLEDGE, read(MmioRegister.STATUS));
    }

    @Test
    @DisplayName("4.2.5: what there is only on PCI is refused")
    void shouldRefuseADeviceWhenItNeedsPci() {
        IllegalArgumentException admin = assertThrows(IllegalArgumentException.class,
                () -> windowOf(new FakeDevice(FeatureBit.ADMIN_VQ)));
        assertTrue(String.valueOf(admin.getMessage()).contains("PCI"));
        assertThrows(IllegalArgumentException.class, () -> windowOf(new FakeDevice(FeatureBit.SR_IOV)));
    }

    @Test
    @DisplayName("A configuration that does not fit into the window is refused")
    void shouldRefuseADeviceWhenItsConfigurationIsTooLarge() {
        assertEquals(0x200, VirtioMmioDevice.WINDOW_SIZE);
        windowOf(new FakeDevice(new byte[0x100]));
        IllegalArgumentException refused = assertThrows(IllegalArgumentException.class,
                () -> windowOf(new FakeDevice(new byte[0x101])));
        assertTrue(String.valueOf(refused.getMessage()).contains("configSize=257"), refused.getMessage());
    }

    // What a driver does

    private void start(int queue, int size) {
        negotiate();
        setUpQueue(queue, size);
        write(MmioRegister.STATUS, 15);
        device.kicks.clear();
    }

    private void negotiate() {
        acknowledge();
        acceptFeatures(1, 1 << (FeatureBit.VERSION_1 - 32));
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

    @Test
    @DisplayName("a window that was closed starts its device no more, whatever its guest writes")
    void shouldIgnoreADriverWhenItWasClosed() {
        window.close();
        write(MmioRegister.DRIVER_FEATURES_SEL, 1);
        write(MmioRegister.DRIVER_FEATURES, 1);
        for (int status : new int[] {1, 3, 11, 15}) {
            write(MmioRegister.STATUS, status);
            assertEquals(0, read(MmioRegister.STATUS));
        }
        assertEquals(null, device.context);
        window.close();
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
}
