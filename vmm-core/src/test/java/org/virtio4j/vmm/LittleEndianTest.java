// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vmm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LittleEndianTest {

    private static final long SIZE = 64;

    private final MemorySegment segment = Arena.ofAuto().allocate(SIZE, 16);

    @ParameterizedTest
    @ValueSource(longs = {0, 1, 2, 3, 5, 7, 8, 55, 56})
    void shouldPutTheLowByteFirstWhateverTheAlignment(long offset) {
        LittleEndian.putI64(segment, offset, 0x8877_6655_4433_2211L);
        for (int i = 0; i < 8; i++) {
            assertEquals(0x11 * (i + 1), LittleEndian.u8(segment, offset + i), "byte " + i);
        }
        assertEquals(0x2211, LittleEndian.u16(segment, offset));
        assertEquals(0x4433_2211, LittleEndian.i32(segment, offset));
        assertEquals(0x8877_6655_4433_2211L, LittleEndian.i64(segment, offset));
    }

    @Test
    void shouldReadUnsignedWhenTheTopBitIsSet() {
        segment.fill((byte) 0xfe);
        assertEquals(0xfe, LittleEndian.u8(segment, 3));
        assertEquals(0xfefe, LittleEndian.u16(segment, 3));
        assertEquals(0xfefe, LittleEndian.u16Acquire(segment, 4));
        assertEquals(0xfefe_fefeL, LittleEndian.u32(segment, 3));
        assertEquals(0xfefe_fefe, LittleEndian.i32(segment, 3));
    }

    @Test
    void shouldWriteTheLowBitsOnlyAndLeaveTheNeighboursAlone() {
        LittleEndian.putU8(segment, 1, 0x1_23);
        LittleEndian.putU16(segment, 3, 0x1_4567);
        LittleEndian.putI32(segment, 6, 0x89ab_cdef);
        assertBytes(0, 0x23, 0, 0x67, 0x45, 0, 0xef, 0xcd, 0xab, 0x89, 0);
    }

    @Test
    void shouldAgreeWithThePlainAccessorsWhenOrdered() {
        LittleEndian.putU16Release(segment, 2, 0x1_2345);
        LittleEndian.putI32Release(segment, 4, 0x6789_abcd);
        LittleEndian.putI64Release(segment, 8, 0x0123_4567_89ab_cdefL);
        assertBytes(0, 0, 0x45, 0x23, 0xcd, 0xab, 0x89, 0x67, 0xef, 0xcd, 0xab, 0x89, 0x67, 0x45, 0x23, 0x01, 0);
        assertEquals(0x2345, LittleEndian.u16Acquire(segment, 2));
        assertEquals(0x6789_abcd, LittleEndian.i32Acquire(segment, 4));
        assertEquals(0x0123_4567_89ab_cdefL, LittleEndian.i64Acquire(segment, 8));
    }

    @Test
    void shouldRefuseAMisalignedOffsetWhenOrdered() {
        assertThrows(IllegalArgumentException.class, () -> LittleEndian.u16Acquire(segment, 1));
        assertThrows(IllegalArgumentException.class, () -> LittleEndian.putU16Release(segment, 3, 0));
        assertThrows(IllegalArgumentException.class, () -> LittleEndian.i32Acquire(segment, 2));
        assertThrows(IllegalArgumentException.class, () -> LittleEndian.putI32Release(segment, 6, 0));
        assertThrows(IllegalArgumentException.class, () -> LittleEndian.i64Acquire(segment, 4));
        assertThrows(IllegalArgumentException.class, () -> LittleEndian.putI64Release(segment, 12, 0));
    }

    @Test
    void shouldThrowWhenTheFieldIsNotWhollyInside() {
        assertThrows(IndexOutOfBoundsException.class, () -> LittleEndian.u8(segment, SIZE));
        assertThrows(IndexOutOfBoundsException.class, () -> LittleEndian.u16(segment, SIZE - 1));
        assertThrows(IndexOutOfBoundsException.class, () -> LittleEndian.u32(segment, SIZE - 3));
        assertThrows(IndexOutOfBoundsException.class, () -> LittleEndian.i64(segment, SIZE - 7));
        assertThrows(IndexOutOfBoundsException.class, () -> LittleEndian.putU16Release(segment, -2, 0));
        assertThrows(IndexOutOfBoundsException.class, () -> LittleEndian.putI64(segment, Long.MAX_VALUE, 0));
    }

    private void assertBytes(int... expected) {
        for (int i = 0; i < expected.length; i++) {
            assertEquals(expected[i], LittleEndian.u8(segment, i), "byte " + i);
        }
    }
}
