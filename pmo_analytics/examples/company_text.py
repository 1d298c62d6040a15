"""The invented insurer of the example: what a person would type in, as text tables.

Columns are separated by `|`, or by blanks where no cell holds a blank; `-` is an
empty cell. `company` and `company_past` draw everything else around them.
"""

from __future__ import annotations

import pandas as pd

NAME = "Larkmoor Insurance"

# rate: currency per hour; shape: how demand of the role runs over a project; run27,
# run28: share of the role that keeps the business running in that year.
ROLES = """
role                | code | parent      | team         | rate | shape  | run27 | run28
Developer           | DEV  | Engineering | Platform     | 82   | middle | 0.35  | 0.32
Data Engineer       | DAT  | Engineering | Data         | 91   | flat   | 0.32  | 0.32
Cloud Engineer      | CLD  | Engineering | Platform     | 95   | front  | 0.56  | 0.54
Tester              | TST  | Engineering | Quality      | 64   | back   | 0.34  | 0.34
Architect           | ARC  | Design      | Architecture | 112  | front  | 0.44  | 0.42
Business Analyst    | BA   | Design      | Analysis     | 78   | front  | 0.36  | 0.36
UX Designer         | UX   | Design      | Digital      | 80   | front  | 0.50  | 0.50
Security Specialist | SEC  | Governance  | Security     | 108  | flat   | 0.56  | 0.52
Project Manager     | PM   | Delivery    | PMO          | 98   | flat   | 0.20  | 0.20
Change Manager      | CHG  | Delivery    | Analysis     | 85   | back   | 0.30  | 0.30
"""

PROJECTS = """
project   | name                                  | theme        | program
IFRS17    | IFRS 17 reporting                     | Regulatory   | -
DWH-MIG   | Data warehouse migration              | Data         | Data foundation
TARIFF-PL | Motor tariff for Poland               | Customer     | Growth
CHATBOT   | Service chatbot                       | Customer     | Growth
SOC       | Security operations centre            | Security     | Secure cloud
PAYGATE   | Payment gateway switch                | Core systems | -
DOCGEN    | Document generation replacement       | Core systems | Core renewal
MFA       | Multi-factor sign-in for brokers      | Security     | Secure cloud
VR-TRAIN  | Virtual reality training for adjusters| Workplace    | -
CHAIN     | Blockchain proof of insurance         | Customer     | -
CORE-MOT  | Core policy system: motor             | Core systems | Core renewal
DORA      | DORA operational resilience           | Regulatory   | -
LANDING   | Cloud landing zone                    | Security     | Secure cloud
BROKER    | Broker portal relaunch                | Customer     | Growth
MDM       | Customer master data                  | Data         | Data foundation
COACH     | Coaching of product teams             | Workplace    | -
CORE-HOME | Core policy system: household         | Core systems | Core renewal
CORE-LIFE | Core policy system: life              | Core systems | Core renewal
ISO27001  | ISO 27001 certification               | Security     | Secure cloud
FRAUD     | Fraud scoring in claims               | Data         | Claims 2028
CRM       | Customer relationship platform        | Customer     | Growth
CRM-UP    | Upgrade of the present CRM            | Customer     | Growth
CLAIMS    | Claims portal renewal                 | Customer     | Claims 2028
CLAIM-ML  | Claims triage by machine learning     | Data         | Claims 2028
APP       | Mobile app for policyholders          | Customer     | Growth
PRICING   | Dynamic pricing engine                | Data         | Growth
TELEM     | Telematics tariff                     | Customer     | Growth
TELEM-BOX | Telematics devices in vehicles        | Customer     | Growth
LAKE      | Data lakehouse                        | Data         | Data foundation
DWH-EXT   | Extension of the data warehouse       | Data         | Data foundation
MLOPS     | Model operations platform             | Data         | Data foundation
ERP-FIN   | Finance ERP upgrade                   | Core systems | -
BILLING   | Billing and collections renewal       | Core systems | Core renewal
IAM       | Identity and access management        | Security     | Secure cloud
ZTN       | Zero trust network                    | Security     | Secure cloud
API       | Partner API gateway                   | Customer     | Growth
INTAKE    | Automatic mail and invoice intake     | Workplace    | Claims 2028
KYC       | Sanction and identity screening       | Regulatory   | -
CSRD      | Sustainability reporting (CSRD)       | Regulatory   | -
HYBRID    | Hybrid workplace                      | Workplace    | -
REINS     | Reinsurance accounting                | Core systems | -
GARAGES   | Self service for repair garages       | Customer     | Claims 2028
ANNUITY   | Annuity back book migration           | Core systems | Core renewal
GENAI     | Claims assistant with generative AI   | Data         | Claims 2028
EMBED     | Insurance embedded at retailers       | Customer     | Growth
PARAM     | Parametric weather cover              | Customer     | Growth
GREEN-IT  | Server consolidation and green IT     | Workplace    | -
"""

# value: thousands of currency; chance: probability.
SCHEDULE = """
project   status    sponsor chance value duration start   earliest latest  deadline
IFRS17    done      CFO     1      900   24       2024-01 -        -       -
DWH-MIG   done      CIO     1      1300  16       2024-03 -        -       -
TARIFF-PL done      CCO     1      1100  9        2024-09 -        -       -
CHATBOT   done      CCO     1      500   8        2025-02 -        -       -
SOC       done      CIO     1      800   10       2025-04 -        -       -
PAYGATE   done      CFO     1      700   6        2025-09 -        -       -
DOCGEN    done      COO     1      950   9        2025-11 -        -       -
MFA       done      CIO     1      400   5        2026-05 -        -       -
VR-TRAIN  cancelled COO     0.2    150   5        -       -        -       -
CHAIN     cancelled CIO     0.1    250   8        -       -        -       -
CORE-MOT  running   COO     1      3200  18       2026-02 -        -       2027-09
DORA      running   CRO     1      600   11       2026-06 -        -       2027-07
LANDING   running   CIO     1      900   10       2026-08 -        -       -
BROKER    running   CCO     1      1500  9        2026-09 -        -       -
MDM       running   CIO     1      1100  10       2026-10 -        -       -
COACH     running   COO     1      350   8        2027-01 -        -       -
CORE-HOME approved  COO     1      2900  12       2027-10 -        -       2028-10
CORE-LIFE approved  COO     0.9    2400  14       2028-05 2028-04  2028-08 -
ISO27001  approved  CRO     1      500   9        -       2027-02  2027-06 2028-03
FRAUD     approved  COO     0.9    1600  8        2027-04 2027-03  2027-09 -
CRM       proposed  CCO     0.8    4200  10       -       2027-03  -       -
CRM-UP    proposed  CCO     0.9    800   5        -       -        2027-12 -
CLAIMS    proposed  COO     0.8    2600  9        -       -        -       -
CLAIM-ML  proposed  COO     0.6    1500  7        -       -        -       -
APP       proposed  CCO     0.7    1700  8        -       -        -       -
PRICING   proposed  CCO     0.7    2300  9        -       2027-09  -       -
TELEM     proposed  CCO     0.5    1500  8        -       2027-06  -       -
TELEM-BOX proposed  CCO     0.5    350   5        -       -        -       -
LAKE      proposed  CIO     0.8    1800  8        -       -        -       -
DWH-EXT   proposed  CIO     0.9    600   4        -       -        -       -
MLOPS     proposed  CIO     0.6    700   5        -       -        -       -
ERP-FIN   proposed  CFO     0.9    2500  10       -       -        -       -
BILLING   proposed  COO     0.8    1900  9        -       2027-07  -       -
IAM       proposed  CIO     0.9    950   6        -       -        2028-01 -
ZTN       proposed  CIO     0.7    850   8        -       -        -       -
API       proposed  CCO     0.7    1200  6        -       -        -       -
INTAKE    proposed  COO     0.9    1250  6        -       -        -       -
KYC       proposed  CRO     1      250   6        -       2027-02  -       2027-11
REINS     proposed  CFO     0.8    850   7        -       -        2028-03 -
GARAGES   proposed  COO     0.7    900   6        -       -        -       -
CSRD      proposed  CFO     0.9    450   7        -       2027-04  -       2028-06
HYBRID    paused    COO     0.6    480   6        -       -        -       -
ANNUITY   paused    COO     0.5    1000  8        -       2028-01  -       -
GENAI     idea      COO     0.4    1500  6        -       2027-10  -       -
EMBED     idea      CCO     0.3    1300  8        -       -        -       -
PARAM     idea      CCO     0.3    500   6        -       -        -       -
GREEN-IT  idea      CIO     0.5    330   5        -       -        -       -
"""

FORCED = """
project | force | force_reason
KYC     | in    | Ordered by the supervisor, to be live before December 2027
EMBED   | out   | No partner before 2029
"""

# cap, op: capex and opex, thousands of currency; needs: role codes with peak FTE.
NEEDS = """
project   fund       cap op  needs
IFRS17    Regulatory 350 420 BA 1 DEV 1.2 DAT 0.6 TST 0.7 PM 0.5 ARC 0.2
DWH-MIG   Technology 300 260 DAT 1 DEV 0.8 TST 0.5 ARC 0.4 PM 0.4
TARIFF-PL Change     60  150 DEV 1.6 BA 0.9 TST 0.7 DAT 0.3 PM 0.4 CHG 0.3
CHATBOT   Change     90  120 DEV 1.2 UX 0.8 BA 0.4 TST 0.4 PM 0.3
SOC       Technology 240 180 SEC 0.6 CLD 0.7 DEV 0.4 PM 0.4
PAYGATE   Change     80  60  DEV 1.5 TST 0.7 BA 0.4 SEC 0.2 PM 0.3
DOCGEN    Change     160 140 DEV 1.8 BA 0.8 TST 0.8 ARC 0.3 PM 0.5 CHG 0.3
MFA       Technology 70  40  SEC 0.4 DEV 0.8 CLD 0.4 TST 0.3 PM 0.2
CORE-MOT  Change     900 720 DEV 2.5 DAT 0.5 TST 1.2 ARC 0.4 BA 1 PM 0.6 CHG 0.4
DORA      Regulatory 60  330 SEC 0.4 BA 0.7 CLD 0.3 PM 0.4 DEV 0.6
LANDING   Technology 420 180 CLD 1 ARC 0.4 SEC 0.3 PM 0.3 DEV 0.8
BROKER    Change     180 240 DEV 2 UX 1 TST 0.8 BA 0.6 PM 0.4 CHG 0.3
MDM       Technology 200 220 DAT 1 ARC 0.4 BA 0.7 PM 0.4 TST 0.4
COACH     Change     0   160 CHG 0.6 PM 0.3 BA 0.3
CORE-HOME Change     700 560 DEV 1.8 DAT 0.4 TST 1.1 ARC 0.4 BA 0.9 PM 0.5 CHG 0.4
CORE-LIFE Change     650 520 DEV 1.4 DAT 0.4 TST 0.8 ARC 0.4 BA 0.7 PM 0.4
ISO27001  Technology 40  140 SEC 0.4 BA 0.3 CLD 0.3 PM 0.2 CHG 0.2
FRAUD     Change     120 160 DAT 0.6 DEV 1 ARC 0.2 TST 0.5 BA 0.4 PM 0.3
CRM       Change     620 380 DEV 2.2 BA 1.5 UX 0.8 TST 1.2 ARC 0.8 DAT 0.6 PM 0.6 CHG 1
CRM-UP    Change     180 90  DEV 1.7 BA 0.7 UX 0.4 TST 0.7 DAT 0.3 PM 0.4
CLAIMS    Change     380 300 DEV 2.3 UX 1.2 TST 1.3 BA 1.3 ARC 0.6 PM 0.6 CHG 0.8
CLAIM-ML  Change     90  180 DAT 1 DEV 0.9 ARC 0.4 BA 0.6 TST 0.4 PM 0.4
APP       Change     120 260 DEV 1.8 UX 1.2 TST 0.8 BA 0.7 CLD 0.5 PM 0.5
PRICING   Change     240 260 DAT 1.3 DEV 1.3 ARC 0.6 BA 1 TST 0.7 PM 0.5
TELEM     Change     150 180 DAT 1 DEV 1.4 ARC 0.5 BA 0.6 UX 0.5 TST 0.7 PM 0.5
TELEM-BOX Change     260 80  CHG 0.8 PM 0.4 BA 0.5 TST 0.3
LAKE      Technology 340 220 DAT 1.3 CLD 0.8 ARC 0.8 DEV 0.6 SEC 0.3 PM 0.5
DWH-EXT   Technology 120 60  DAT 0.8 ARC 0.2 TST 0.3 PM 0.2
MLOPS     Technology 90  70  DAT 0.6 CLD 0.6 DEV 0.4 ARC 0.4 PM 0.2
ERP-FIN   Change     580 440 DEV 1.7 BA 1.6 TST 1.2 ARC 0.5 CLD 0.8 DAT 0.4 PM 0.7 CHG 1
BILLING   Change     310 240 DEV 1.9 BA 1.3 TST 1.3 ARC 0.6 DAT 0.3 PM 0.5 CHG 0.6
IAM       Technology 210 120 SEC 0.6 CLD 0.7 DEV 0.9 ARC 0.4 PM 0.4
ZTN       Technology 380 140 SEC 0.6 CLD 0.8 ARC 0.5 PM 0.5
API       Change     110 90  DEV 1.4 ARC 0.6 CLD 0.6 SEC 0.3 TST 0.6 PM 0.4
INTAKE    Change     140 120 DEV 1.3 BA 1.2 DAT 0.4 TST 0.6 CHG 0.8 PM 0.4
KYC       Regulatory 50  110 DEV 1.1 BA 0.7 DAT 0.3 SEC 0.2 TST 0.6 PM 0.4
REINS     Change     90  110 BA 0.9 DEV 0.9 DAT 0.4 TST 0.6 PM 0.3
GARAGES   Change     70  80  DEV 1.2 UX 0.4 BA 0.5 TST 0.5 ARC 0.3 PM 0.3
CSRD      Regulatory 30  160 DAT 0.7 BA 1.2 DEV 0.4 TST 0.3 PM 0.4
HYBRID    Change     190 70  CHG 1.2 CLD 0.6 UX 0.4 PM 0.5
ANNUITY   Change     80  210 DAT 0.9 DEV 1.3 BA 1.2 TST 0.9 PM 0.5
GENAI     Change     60  190 DAT 0.6 DEV 1.2 ARC 0.3 SEC 0.3 UX 0.3 PM 0.4
EMBED     Change     80  150 DEV 1.6 BA 1 ARC 0.5 UX 0.6 TST 0.7 PM 0.5 CHG 0.4
PARAM     Change     40  70  DAT 0.6 DEV 1 BA 0.7 TST 0.3 PM 0.2
GREEN-IT  Technology 160 40  CLD 1 DEV 0.3 PM 0.2
"""

# What was promised at first: periods of delay at the start, periods planned, and
# actual (running: expected) hours over planned ones.
BASELINES = """
project   delay duration effort
IFRS17    0     10       2.40
DWH-MIG   1     10       1.60
TARIFF-PL 0     6        1.50
CHATBOT   0     6        1.33
SOC       2     8        1.25
PAYGATE   0     5        1.20
DOCGEN    1     9        1.00
MFA       0     5        1.00
CORE-MOT  1     14       1.30
DORA      0     10       1.10
LANDING   0     10       1.00
BROKER    0     8        1.15
MDM       1     10       1.00
COACH     0     8        1.00
"""

DEPENDENCIES = """
project   | requires      | kind         | lag | lag_max
CORE-HOME | CORE-MOT      | finish_start | 1   | -
CORE-LIFE | CORE-HOME     | start_start  | 6   | -
BILLING   | CORE-MOT      | finish_start | -2  | -
ERP-FIN   | PAYGATE       | finish_start | 0   | -
ANNUITY   | CORE-HOME     | start_start  | 6   | -
IAM       | LANDING       | finish_start | 0   | -
ZTN       | IAM           | finish_start | 0   | -
LAKE      | LANDING       | finish_start | -2  | -
MLOPS     | LAKE          | start_start  | 3   | 9
CLAIM-ML  | Data platform | finish_start | 0   | -
CLAIM-ML  | CLAIMS        | start_start  | 2   | -
GENAI     | CLAIM-ML      | finish_start | -2  | -
PRICING   | MDM           | finish_start | 0   | 12
TELEM-BOX | TELEM         | start_start  | 3   | 6
APP       | API           | selected     | 0   | -
KYC       | MDM           | selected     | 0   | -
"""

GROUPS = """
group          | rule        | at_least | at_most | members
One CRM        | limit       | -        | 1       | CRM CRM-UP
Data platform  | limit       | -        | 1       | LAKE DWH-EXT
Telematics     | all_or_none | -        | -       | TELEM TELEM-BOX
Customer front | limit       | 1        | 3       | APP CLAIMS CRM CRM-UP TELEM
"""

BLACKOUTS = """
project | theme        | start   | end     | applies_to
-       | -            | 2027-12 | 2027-12 | finish
-       | -            | 2028-12 | 2028-12 | finish
-       | Core systems | 2027-12 | 2027-12 | start
ERP-FIN | -            | 2027-12 | 2028-01 | work
"""

# amount, at_least: thousands of currency.
BUDGET = """
budget          | fund       | theme    | start   | end     | amount | at_least
Change 2027     | Change     | -        | 2027-01 | 2027-12 | 2600   | -
Change 2028     | Change     | -        | 2028-01 | 2028-12 | 3300   | -
Technology 2027 | Technology | -        | 2027-01 | 2027-12 | 1100   | -
Technology 2028 | Technology | -        | 2028-01 | 2028-12 | 800    | -
Regulatory 2027 | Regulatory | -        | 2027-01 | 2027-12 | 400    | -
Regulatory 2028 | Regulatory | -        | 2028-01 | 2028-12 | 200    | -
Data theme      | -          | Data     | -       | -       | 1400   | -
Customer theme  | -          | Customer | -       | -       | -      | 900
"""

FLEX = """
role             | kind       | start   | end     | fte_max | rate | lead
Developer        | overtime   | 2027-01 | 2028-12 | 0.8     | 118  | 0
Developer        | contractor | 2027-03 | 2028-12 | 3       | 125  | 2
Data Engineer    | contractor | 2027-03 | 2028-12 | 2       | 145  | 2
Data Engineer    | hire       | 2027-06 | 2028-12 | 2       | 95   | 5
Architect        | contractor | 2027-04 | 2028-12 | 1       | 165  | 3
Tester           | contractor | 2027-02 | 2028-12 | 2       | 88   | 1
Business Analyst | overtime   | 2027-01 | 2028-12 | 0.4     | 110  | 0
"""

PEOPLE = {
    "Developer": "Anna Weber DE, Jonas Becker DE, Lena Hoffmann DE, Felix Schäfer DE, "
    "Marta Kowalska PL, Piotr Zieliński PL, Kasia Wójcik PL, Tomasz Lewandowski PL, "
    "Ewa Kamińska PL, Oliver Hughes GB, Grace Bennett GB, Harry Foster GB, "
    "Amira Khan GB, Jan Dąbrowski PL, Nina Köhler DE",
    "Data Engineer": "Michał Nowak PL, Sophie Turner GB, Emre Şahin DE, "
    "Agnieszka Mazur PL, Daniel Osei GB",
    "Cloud Engineer": "Lukas Brandt DE, Paweł Król PL, Chloe Walsh GB, "
    "Sebastian Vogel DE, Filip Jankowski PL",
    "Tester": "Magda Wiśniewska PL, Katrin Lorenz DE, Adam Pawlak PL, "
    "Emily Clarke GB, Zofia Sikora PL, Tim Krause DE, Hannah Reid GB, "
    "Bartek Michalski PL",
    "Architect": "Stefan Neumann DE, Priya Patel GB, Marek Wrona PL, Julia Sommer DE",
    "Business Analyst": "Laura Fischer DE, James Whitfield GB, Monika Sawicka PL, "
    "Philipp Seidel DE, Isabel Grant GB, Olga Baran PL, Nadine Roth DE, Ben Marlow GB",
    "UX Designer": "Clara Engel DE, Rhys Morgan GB, Iga Piotrowska PL, Mia Lindner DE",
    "Security Specialist": "Tobias Frank DE, Fiona Doyle GB, Kamil Urban PL",
    "Project Manager": "Susanne Busch DE, Andrew Shaw GB, Dorota Malik PL, "
    "Martin Kuhn DE, Helen Pryce GB",
    "Change Manager": "Petra Winkler DE, Lucy Hartley GB, Renata Gajda PL",
}

PART_TIME = {
    "Lena Hoffmann": 0.8,
    "Ewa Kamińska": 0.6,
    "Katrin Lorenz": 0.5,
    "Nadine Roth": 0.75,
    "Mia Lindner": 0.6,
    "Helen Pryce": 0.8,
    "Petra Winkler": 0.8,
    "Julia Sommer": 0.5,
}
# Everyone else was there before the history begins.
HIRED = {
    "Renata Gajda": "2024-02-01",
    "Amira Khan": "2024-05-01",
    "Fiona Doyle": "2024-06-03",
    "Agnieszka Mazur": "2024-09-02",
    "Hannah Reid": "2024-11-04",
    "Harry Foster": "2025-02-03",
    "Marek Wrona": "2025-03-03",
    "Sebastian Vogel": "2025-04-01",
    "Isabel Grant": "2025-07-01",
    "Ewa Kamińska": "2025-10-01",
    "Ben Marlow": "2027-02-08",
    "Jan Dąbrowski": "2027-03-15",
    "Bartek Michalski": "2027-04-01",
    "Daniel Osei": "2027-06-01",
    "Filip Jankowski": "2027-09-13",
    "Nina Köhler": "2028-01-10",
}
LEAVERS = {
    "Oliver Hughes": "2027-08-17",
    "Emily Clarke": "2027-05-31",
    "Monika Sawicka": "2028-03-15",
    "Priya Patel": "2028-06-30",
}
# person, day, then the rows that hold from that day: role and share.
CHANGES = (
    ("Tim Krause", "2027-10-01", (("Developer", 1.0),)),
    ("Lena Hoffmann", "2028-02-01", (("Developer", 1.0),)),
    ("Felix Schäfer", "2027-07-12", (("Developer", 0.6), ("Architect", 0.4))),
)
# person, first and last day, share away.
PARENTAL_LEAVE = (
    ("Grace Bennett", "2027-05-10", "2027-09-30", 1.0),
    ("Grace Bennett", "2027-10-01", "2028-03-31", 0.5),
    ("Laura Fischer", "2028-03-01", "2028-08-31", 0.5),
)


def table_of(text: str) -> pd.DataFrame:
    """Return a text table as a frame of text; cells of `-` are None."""
    lines = text.strip().splitlines()
    header = [name.strip() for name in lines[0].split("|")]
    if len(header) == 1:
        header = lines[0].split()
        cells = [line.split(maxsplit=len(header) - 1) for line in lines[1:]]
    else:
        cells = [[cell.strip() for cell in line.split("|")] for line in lines[1:]]
    rows = [[None if cell == "-" else cell for cell in line] for line in cells]
    return pd.DataFrame(rows, columns=header, dtype=object)
