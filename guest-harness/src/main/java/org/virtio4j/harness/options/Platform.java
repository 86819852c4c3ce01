// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.harness.options;

/**
 * What machine a guest is.
 *
 * @param architecture its kind of processor
 * @param interrupts what brings it the interrupts of its devices
 * @param pageKibibytes the size of its pages, which its kernel decides: 4, or 16 on arm64
 */
public record Platform(Architecture architecture, Interrupts interrupts, int pageKibibytes) {

    /** The usual size of pages. */
    public static final int SMALL_PAGES = 4;
    /** The size of pages for which arm64 has another kernel. */
    public static final int LARGE_PAGES = 16;

    /**
     * Checks that they go together.
     *
     * @throws IllegalArgumentException if the architecture has no such interrupts or no such pages
     */
    public Platform {
        if (interrupts.architecture() != architecture) {
            throw new IllegalArgumentException("interrupts=" + interrupts + ": must be of " + architecture);
        }
        if (pageKibibytes != SMALL_PAGES && (pageKibibytes != LARGE_PAGES || architecture != Architecture.ARM64)) {
            throw new IllegalArgumentException("pageKibibytes=" + pageKibibytes + ": must be 4, or 16 on arm64");
        }
    }

    /**
     * A machine as it is where nobody chooses.
     *
     * @param architecture its kind of processor
     * @return the machine
     */
    public static Platform of(Architecture architecture) {
        return new Platform(architecture, Interrupts.of(architecture), SMALL_PAGES);
    }

    /**
     * The same with other interrupts.
     *
     * @param other of the same architecture
     * @return the machine
     */
    public Platform withInterrupts(Interrupts other) {
        return new Platform(architecture, other, pageKibibytes);
    }

    /**
     * The same with other pages.
     *
     * @param kibibytes their size
     * @return the machine
     */
    public Platform withPages(int kibibytes) {
        return new Platform(architecture, interrupts, kibibytes);
    }

    /**
     * What {@code build/fetch-guest} calls the guest's kernel and tools.
     *
     * @return the name of a part
     */
    public String linuxPackages() {
        String pages = pageKibibytes == SMALL_PAGES ? "" : "-" + pageKibibytes + "k";
        return architecture == Architecture.X86_64 ? "linux" : "linux-" + architecture + pages;
    }
}
