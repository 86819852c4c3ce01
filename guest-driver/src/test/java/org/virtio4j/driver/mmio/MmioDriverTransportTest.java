// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.driver.mmio;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.virtio4j.driver.FakeMmio;
import org.virtio4j.driver.mmio.MmioDriverTransport.Discovery;
import org.virtio4j.wire.MmioRegister;

class MmioDriverTransportTest {

    private final FakeMmio window = new FakeMmio();

    @Test
    void shouldFindADeviceWhenMagicVersionAndTypeAreRight() {
        assertEquals(Discovery.FOUND, MmioDriverTransport.discover(window));
        assertEquals(List.of("R4 0", "R4 4", "R4 8"), window.log);
        assertEquals(23, MmioDriverTransport.of(window).deviceType());
    }

    @Test
    void shouldReadNoFurtherWhenTheDeviceIsNone() {
        set(MmioRegister.DEVICE_ID, 0);
        assertEquals(Discovery.EMPTY, MmioDriverTransport.discover(window));
        set(MmioRegister.VERSION, 1);
        window.log.clear();
        assertEquals(Discovery.OTHER_VERSION, MmioDriverTransport.discover(window));
        assertEquals(List.of("R4 0", "R4 4"), window.log);
        set(MmioRegister.MAGIC_VALUE, 0x7472_6976L ^ 1);
        window.log.clear();
        assertEquals(Discovery.NOT_VIRTIO, MmioDriverTransport.discover(window));
        assertEquals(List.of("R4 0"), window.log);
        assertThrows(IllegalStateException.class, () -> MmioDriverTransport.of(window));
    }

    @Test
    void shouldWriteSizeAndAddressesBeforeReadyWhenAQueueIsEnabled() {
        MmioDriverTransport transport = transport();
        assertTrue(transport.enableQueue(3, 128, 0x1_2345_6780L, 0xffff_ffff_8000_0002L, 0x4));
        assertEquals(List.of("W4 30 3", "W4 38 80", "W4 80 23456780", "W4 84 1", "W4 90 80000002", "W4 94 ffffffff",
                "W4 a0 4", "W4 a4 0", "W4 44 1", "R4 44"), window.log);
        assertTrue(transport.queueReady(3));
        assertEquals(64, transport.queueSizeMax(3));
    }

    @Test
    void shouldReadBackWhenAQueueIsDisabled() {
        MmioDriverTransport transport = transport();
        assertTrue(transport.disableQueue(1));
        assertEquals(List.of("W4 30 1", "W4 44 0", "R4 44"), window.log);
    }

    @Test
    void shouldWaitForTheEndWhenAQueueIsReset() {
        int[] reads = new int[1];
        MmioDriverTransport transport = MmioDriverTransport.of(new FakeMmio() {
            @Override
            public long read(long offset, int width) {
                return offset == MmioRegister.QUEUE_RESET && ++reads[0] > 4 ? 0 : super.read(offset, width);
            }
        });
        assertTrue(transport.resetQueue(0));
        assertEquals(5, reads[0]);
    }

    @Test
    void shouldGiveUpWhenAQueueResetNeverEnds() {
        FakeMmio silent = new FakeMmio() {
            @Override
            public long read(long offset, int width) {
                return registers[(int) offset];
            }
        };
        assertFalse(MmioDriverTransport.of(silent).resetQueue(0));
    }

    @Test
    void shouldUseTheWidthOfTheFieldWhenTheConfigurationIsAccessed() {
        MmioDriverTransport transport = transport();
        set(MmioRegister.CONFIG + 8, 0x8000_0001L);
        set(MmioRegister.CONFIG + 12, 0x7fff_fffeL);
        assertEquals(0x7fff_fffe_8000_0001L, transport.readConfig(8, 8));
        transport.readConfig(36, 1);
        transport.writeConfig(36, 1, 1);
        transport.writeConfig(8, 8, -2);
        assertEquals(List.of("R4 108", "R4 10c", "R1 124", "W1 124 1", "W4 108 fffffffe", "W4 10c ffffffff"),
                window.log);
    }

    @Test
    void shouldReadAgainWhenTheGenerationMoved() {
        int[] runs = new int[1];
        MmioDriverTransport transport = transport();
        assertTrue(transport.readConsistently(() -> {
            runs[0]++;
            if (runs[0] < 3) {
                set(MmioRegister.CONFIG_GENERATION, runs[0]);
            }
        }));
        assertEquals(3, runs[0]);
        assertFalse(transport.readConsistently(() -> set(MmioRegister.CONFIG_GENERATION, ++runs[0])));
    }

    @Test
    void shouldAcknowledgeWhatItReadWhenInterruptsAreTaken() {
        MmioDriverTransport transport = transport();
        set(MmioRegister.INTERRUPT_STATUS, 2);
        assertEquals(2, transport.takeInterrupts());
        assertEquals(List.of("R4 60", "W4 64 2"), window.log);
        window.log.clear();
        set(MmioRegister.INTERRUPT_STATUS, 0);
        assertEquals(0, transport.takeInterrupts());
        assertEquals(List.of("R4 60"), window.log);
    }

    @Test
    void shouldSelectBeforeItReadsOrWritesWhenFeaturesAreAsked() {
        MmioDriverTransport transport = transport();
        assertEquals(1, transport.offeredFeatures(1));
        transport.acceptFeatures(3, 0x8000_0000);
        transport.notifyQueue(1);
        assertEquals(List.of("W4 14 1", "R4 10", "W4 24 3", "W4 20 80000000", "W4 50 1"), window.log);
    }

    private MmioDriverTransport transport() {
        MmioDriverTransport transport = MmioDriverTransport.of(window);
        window.log.clear();
        return transport;
    }

    private void set(long register, long value) {
        window.registers[(int) register] = value;
    }
}
