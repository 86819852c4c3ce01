// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.os.vfio;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import org.virtio4j.os.Descriptor;
import org.virtio4j.os.Errno;
import org.virtio4j.os.NativeCall;
import org.virtio4j.os.NativeFailureException;

/** {@code open}, {@code ioctl}, {@code pread} and {@code pwrite} of Linux, for the files of VFIO. */
final class VfioCall {

    /** {@code VFIO_TYPE} and {@code VFIO_BASE}: request n of {@code _IO} is this plus n. */
    static final long REQUESTS = 0x3b64;

    private static final int O_RDWR = 2;
    private static final int O_CLOEXEC = 0x80000;

    private VfioCall() {
    }

    static Descriptor open(Path file) throws NativeFailureException {
        int number;
        try (Arena call = Arena.ofConfined()) {
            number = (int) Calls.OPEN.invokeExact(NativeCall.state(), call.allocateFrom(file.toString()),
                    O_RDWR | O_CLOEXEC);
        } catch (Throwable thrown) {
            throw NativeCall.impossible(thrown);
        }
        if (number < 0) {
            throw new NativeFailureException("open of " + file, NativeCall.errno());
        }
        return new Descriptor(number);
    }

    /**
     * Makes a request whose argument is a number, or nothing.
     *
     * @return what the system returns, or an error number, negative; {@code EBADF} for a file that was closed
     */
    static int request(Descriptor file, long request, long argument) {
        if (!file.begin()) {
            return -Errno.EBADF;
        }
        try {
            int result = (int) Calls.IOCTL.invokeExact(NativeCall.state(), file.number(), request, argument);
            return result < 0 ? -NativeCall.errno() : result;
        } catch (Throwable thrown) {
            throw NativeCall.impossible(thrown);
        } finally {
            file.end();
        }
    }

    /**
     * Makes a request whose argument is a structure or a string, in native memory.
     *
     * @return as for a number
     */
    static int request(Descriptor file, long request, MemorySegment argument) {
        if (!file.begin()) {
            return -Errno.EBADF;
        }
        try {
            int result = (int) Calls.IOCTL_POINTER.invokeExact(NativeCall.state(), file.number(), request, argument);
            return result < 0 ? -NativeCall.errno() : result;
        } catch (Throwable thrown) {
            throw NativeCall.impossible(thrown);
        } finally {
            file.end();
        }
    }

    /** Returns a result that is no failure. */
    static int checked(String what, int result) throws NativeFailureException {
        if (result < 0) {
            throw new NativeFailureException(what, -result);
        }
        return result;
    }

    /** Reads 1, 2, 4 or 8 bytes in the byte order of the host, which all numbers of PCI have on the machines here. */
    static long read(Descriptor file, long offset, int width) throws NativeFailureException {
        try (Arena call = Arena.ofConfined()) {
            MemorySegment bytes = call.allocate(ValueLayout.JAVA_LONG);
            long done = transfer(Calls.PREAD, file, bytes, width, offset);
            checkWhole("pread", done, width, offset);
            return switch (width) {
                case Byte.BYTES -> Byte.toUnsignedInt(bytes.get(ValueLayout.JAVA_BYTE, 0));
                case Short.BYTES -> Short.toUnsignedInt(bytes.get(ValueLayout.JAVA_SHORT, 0));
                case Integer.BYTES -> Integer.toUnsignedLong(bytes.get(ValueLayout.JAVA_INT, 0));
                default -> bytes.get(ValueLayout.JAVA_LONG, 0);
            };
        }
    }

    static void write(Descriptor file, long offset, int width, long value) throws NativeFailureException {
        try (Arena call = Arena.ofConfined()) {
            MemorySegment bytes = call.allocate(ValueLayout.JAVA_LONG);
            switch (width) {
                case Byte.BYTES -> bytes.set(ValueLayout.JAVA_BYTE, 0, (byte) value);
                case Short.BYTES -> bytes.set(ValueLayout.JAVA_SHORT, 0, (short) value);
                case Integer.BYTES -> bytes.set(ValueLayout.JAVA_INT, 0, (int) value);
                default -> bytes.set(ValueLayout.JAVA_LONG, 0, value);
            }
            long done = transfer(Calls.PWRITE, file, bytes, width, offset);
            checkWhole("pwrite", done, width, offset);
        }
    }

    /** Returns how many bytes, or an error number, negative. */
    private static long transfer(MethodHandle call, Descriptor file, MemorySegment bytes, int width, long offset) {
        if (!file.begin()) {
            return -Errno.EBADF;
        }
        try {
            long done = (long) call.invokeExact(NativeCall.state(), file.number(), bytes, (long) width, offset);
            return done < 0 ? -NativeCall.errno() : done;
        } catch (Throwable thrown) {
            throw NativeCall.impossible(thrown);
        } finally {
            file.end();
        }
    }

    private static void checkWhole(String call, long done, int width, long offset) throws NativeFailureException {
        if (done != width) {
            throw new NativeFailureException(call + " of " + width + " bytes at 0x" + Long.toHexString(offset),
                    done < 0 ? (int) -done : Errno.EIO);
        }
    }

    /** Linked at the first call, so that a program without native access never gets here. */
    private static final class Calls {

        private static final FunctionDescriptor TRANSFER = FunctionDescriptor.of(ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG);

        static final MethodHandle OPEN = NativeCall.linkVariadic("open", 2, FunctionDescriptor.of(
                ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_INT));
        static final MethodHandle IOCTL = NativeCall.linkVariadic("ioctl", 2, FunctionDescriptor.of(
                ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG));
        static final MethodHandle IOCTL_POINTER = NativeCall.linkVariadic("ioctl", 2, FunctionDescriptor.of(
                ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG, ValueLayout.ADDRESS));
        static final MethodHandle PREAD = NativeCall.link("pread", TRANSFER);
        static final MethodHandle PWRITE = NativeCall.link("pwrite", TRANSFER);
    }
}
