// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.os.file;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import org.virtio4j.os.Descriptor;
import org.virtio4j.os.NativeCall;
import org.virtio4j.os.NativeFailureException;

/** {@code open} of Linux, for what a {@code FileChannel} cannot do with a file. */
final class NativeFile {

    private static final int O_CLOEXEC = 0x80000;

    /** Otherwise a named pipe in the place of a file would block the caller. */
    private static final int O_NONBLOCK = 0x800;

    private NativeFile() {
    }

    /** Opens a file that exists, with one of {@code O_RDONLY}, {@code O_RDWR}. */
    static Descriptor open(Path file, int access) throws NativeFailureException {
        try (Arena call = Arena.ofConfined()) {
            int number = (int) Calls.OPEN.invokeExact(NativeCall.state(), call.allocateFrom(file.toString()),
                    access | O_CLOEXEC | O_NONBLOCK);
            if (number < 0) {
                throw new NativeFailureException("open of " + file, NativeCall.errno());
            }
            return new Descriptor(number);
        } catch (NativeFailureException refused) {
            throw refused;
        } catch (Throwable thrown) {
            throw NativeCall.impossible(thrown);
        }
    }

    /** Linked at the first call, so that a program without native access never gets here. */
    private static final class Calls {

        static final MethodHandle OPEN = NativeCall.linkVariadic("open", 2, FunctionDescriptor.of(
                ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_INT));
    }
}
