// Comma-separated values as RFC 4180 and spreadsheets write them. Knows nothing of jobs.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace waggle::cli::batch {

struct CsvRecord {
  int line = 0;  ///< 1-based, of its first cell
  std::vector<std::string> cells;
};

struct CsvFile {
  std::vector<CsvRecord> records;  ///< empty lines left out
  int error_line = 0;              ///< 0: all is well; else reading ended there
  std::string error;
};

/// Cells in double quotes may hold separators, line ends and doubled quotes; lines end in LF, CRLF or CR.
CsvFile parse_csv(std::string_view text, char separator);

/// The separator that the first line uses: comma, semicolon or tab; comma when it has none.
char guess_separator(std::string_view text);

}  // namespace waggle::cli::batch
