// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vfiouser;

import java.nio.file.Path;
import java.util.Optional;
import org.virtio4j.vmm.StallListener;

/**
 * What an embedder can choose about a socket; {@link #DEFAULT} fits a client that shares its memory by descriptors, as
 * QEMU does with {@code memory-backend-memfd,share=on}.
 *
 * @param memoryFile  the file that is the guest's RAM ({@code memory-backend-file,share=on}), where there is one
 * @param descriptors whether descriptors are taken: of memory, and of eventfds for interrupts. Without them nothing
 *                    needs native access; RAM is {@code memoryFile} alone, and the guest must poll for interrupts
 * @param stalls      hears when taking memory away waits for a device longer than a second
 * @param received    called on the socket's thread when a message is here, before it is carried out. A client whose
 *                    message it throws at is cut off
 * @param refusals    hears what the client was refused
 * @param sealedMemory whether memory is taken only if nobody can make it shorter any more ({@code F_SEAL_SHRINK}), but
 *                    for that of {@code memoryFile}. A device whose memory is cut short while it is used needs a reset,
 *                    and no other notices; sealed memory cannot even be cut
 */
public record VfioUserOptions(Optional<Path> memoryFile, boolean descriptors, StallListener stalls, Runnable received,
        RefusalListener refusals, boolean sealedMemory) {

    /** Memory and interrupts by descriptors. */
    public static final VfioUserOptions DEFAULT =
            new VfioUserOptions(Optional.empty(), true, (holder, waitedNanos) -> { }, () -> { });

    /**
     * Options with nobody who hears of refusals.
     *
     * @param memoryFile  as above
     * @param descriptors as above
     * @param stalls      as above
     * @param received    as above
     * @throws IllegalArgumentException if neither descriptors nor a file can give memory
     */
    public VfioUserOptions(Optional<Path> memoryFile, boolean descriptors, StallListener stalls, Runnable received) {
        this(memoryFile, descriptors, stalls, received, (command, errno, reason) -> { });
    }

    /**
     * Options that take memory sealed or not.
     *
     * @param memoryFile  as above
     * @param descriptors as above
     * @param stalls      as above
     * @param received    as above
     * @param refusals    as above
     * @throws IllegalArgumentException if neither descriptors nor a file can give memory
     */
    public VfioUserOptions(Optional<Path> memoryFile, boolean descriptors, StallListener stalls, Runnable received,
            RefusalListener refusals) {
        this(memoryFile, descriptors, stalls, received, refusals, false);
    }

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
     * The same for a client whose RAM is a file. Descriptors are taken still; those of this file need never be sealed.
     *
     * @param file the guest's RAM; who shortens it while the device uses it loses that device
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
     * The same with somebody who is told of long waits.
     *
     * @param listener see {@link org.virtio4j.vmm.GuestMemory#GuestMemory(StallListener)}
     * @return new options
     */
    public VfioUserOptions withStallListener(StallListener listener) {
        return new VfioUserOptions(memoryFile, descriptors, listener, received, refusals, sealedMemory);
    }

    /**
     * The same with somebody who is told of each message, to measure from there.
     *
     * @param listener called on the socket's thread when a message is here, before it is carried out
     * @return new options
     */
    public VfioUserOptions withMessageListener(Runnable listener) {
        return new VfioUserOptions(memoryFile, descriptors, stalls, listener, refusals, sealedMemory);
    }

    /**
     * The same with somebody who is told what the client was refused.
     *
     * @param listener called on the socket's thread, after the answer
     * @return new options
     */
    public VfioUserOptions withRefusalListener(RefusalListener listener) {
        return new VfioUserOptions(memoryFile, descriptors, stalls, received, listener, sealedMemory);
    }

    /**
     * The same for memory that nobody can make shorter, or for any.
     *
     * @param required whether memory that is not sealed is refused
     * @return new options
     */
    public VfioUserOptions withSealedMemory(boolean required) {
        return new VfioUserOptions(memoryFile, descriptors, stalls, received, refusals, required);
    }
}
