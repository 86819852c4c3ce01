// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.command;

import java.util.Comparator;
import java.util.List;

/** Guesses which name was meant by one that does not exist. */
public final class NearestName {

    private NearestName() {
    }

    /**
     * What to say behind a name that is unknown.
     *
     * @param unknown the name
     * @param names   those there are, at least one
     * @return the nearest, or all if none is near
     */
    public static String hint(String unknown, List<String> names) {
        String nearest = names.stream().min(Comparator.comparingInt(name -> distance(unknown, name))).orElseThrow();
        boolean similar = distance(unknown, nearest) <= Math.max(2, nearest.length() / 2);
        return similar ? "; did you mean " + nearest + "?" : "; expected one of " + String.join(" ", names);
    }

    /** How many characters to insert, leave out or exchange to get from one to the other, after Levenshtein. */
    static int distance(String from, String to) {
        int[] row = new int[to.length() + 1];
        for (int column = 0; column < row.length; column++) {
            row[column] = column;
        }
        for (int i = 1; i <= from.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= to.length(); j++) {
                int exchanged = diagonal + (from.charAt(i - 1) == to.charAt(j - 1) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.min(exchanged, 1 + Math.min(row[j], row[j - 1]));
            }
        }
        return row[to.length()];
    }
}
