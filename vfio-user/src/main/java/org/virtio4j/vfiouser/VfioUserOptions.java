// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vfiouser;

import java.nio.file.Path;
import java.util.Optional;
import org.virtio4j.vmm.grace.StallListener;

/**
 * What an embedder can choose about a socket. Begin with {@link #DEFAULT}, which fits a client that shares its memory
 * by descriptors, as QEMU does with {@code memory-backend-memfd,share=on}, and change what differs.
 *
 * @param memoryFile   the file that is the guest's RAM ({@code memory-backend-file,share=on}), where there is one
 * @param descriptors  whether the socket takes descriptors: of memory, and of eventfds for interrupts. Without them
 *                     nothing needs native access; RAM is {@code memoryFile} alone, and the guest must poll for
 *                     interrupts
 * @param stalls       is told when taking memory away waits for a device longer than a second
 * @param received     called on the socket's thread when a message has arrived, before it is carried out. If it throws,
 *                     the client that sent the message is cut off
 * @param refusals     is told what the client was refused
 * @param sealedMemory whether memory, except that of {@code memoryFile}, is taken only if nobody can make it shorter
 *                     any more ({@code F_SEAL_SHRINK}). A device whose memory is cut short while it is used needs a
 *                     reset, and no other notices; sealed memory cannot even be cut
 */
public record VfioUserOptions(Optional<Path> memoryFile, boolean descriptors, StallListener stalls, Runnable received,
        RefusalListener refusals, boolean sealedMemory) {

    /** Memory and interrupts by descriptors. */
    public static final VfioUserOptions DEFAULT =
            new VfioUserOptions(Optional.empty(), true, (holder, waitedNanos) -> { }, () -> { },
                    (command, errno, reason) -> { }, false);

    /**
     * Checks and keeps the values.
     *
     * @throws IllegalArgumentException if neither descriptors nor a file can give memory
     */
    public VfioUserOptions {
        if (!descriptors && memoryFile.isEmpty()) {
            throw new IllegalArgumentException("descriptors=false, memoryFile=none, so the device would see no memory;"
                    + " name the file with the guest's RAM");
        }
    }

    /**
     * The same for a client whose RAM is a file. Descriptors are still taken; those of this file need not be sealed.
     *
     * @param file the guest's RAM; if it is made shorter while the device uses it, the device needs a reset
     * @return new options
     */
    public VfioUserOptions withMemoryFile(Path file) {
        return new VfioUserOptions(Optional.of(file), descriptors, stalls, received, refusals, sealedMemory);
    }

    /**
     * The same without any native call.
     *
     * @param file the guest's RAM; windows that the client calls writable are parts of it
     * @return new options
     */
    public VfioUserOptions withoutDescriptors(Path file) {
        return new VfioUserOptions(Optional.of(file), false, stalls, received, refusals, sealedMemory);
    }

    /**
     * The same with a listener for long waits.
     *
     * @param listener see {@link org.virtio4j.vmm.GuestMemory#GuestMemory(StallListener)}
     * @return new options
     */
    public VfioUserOptions withStallListener(StallListener listener) {
        return new VfioUserOptions(memoryFile, descriptors, listener, received, refusals, sealedMemory);
    }

    /**
     * The same with a listener for each message, as the start of a measurement.
     *
     * @param listener called on the socket's thread when a message has arrived, before it is carried out
     * @return new options
     */
    public VfioUserOptions withMessageListener(Runnable listener) {
        return new VfioUserOptions(memoryFile, descriptors, stalls, listener, refusals, sealedMemory);
    }

    /**
     * The same with a listener for what the client is refused.
     *
     * @param listener called on the socket's thread, after the answer
     * @return new options
     */
    public VfioUserOptions withRefusalListener(RefusalListener listener) {
        return new VfioUserOptions(memoryFile, descriptors, stalls, received, listener, sealedMemory);
    }

    /**
     * The same with or without the demand that nobody can make the memory shorter.
     *
     * @param required whether memory that is not sealed is refused
     * @return new options
     */
    public VfioUserOptions withSealedMemory(boolean required) {
        return new VfioUserOptions(memoryFile, descriptors, stalls, received, refusals, required);
    }
}
