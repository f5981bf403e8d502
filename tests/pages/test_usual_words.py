"""Pages say what the products say that teachers and ops use every day, in none of the phrases people stumbled over."""

import pytest

from tests.support.app import ROOT

WORDS = ROOT / "tests/pages/words"
# Only those that can mean nothing else.
UNUSUAL = """
Take away as CSV | Everything that matches the filters | Report as PDF | Report to print | Stop using my roster
Use my own for this visit | Roster: names | The roster before stays in use | Find a student by | such as user-456
such as eval-abc123 | have this in their names | Everybody | Result lost | Falling | One weak criterion | (no class)
Results lost | When does a student need attention | A result is lost | The trend is falling | Bands below the target
Criterion below the rest | Days away | 0 switches the rule off | those who need attention first | Tick one
a column's head sorts | None of these | Nobody was active | No students here | Levels now | Half of the students are
in a usual week | more of neither skill | Groups to teach | Students whose weakest criterion is | Half of them are
Nobody's criteria differ enough | What the feedback keeps saying | Read the feedback for what recurs
The lists come without the feedback | Quoted words and numbers may differ | It takes two completed
It takes completed evaluations | Nothing is said | On the criteria, and other remarks | Compare with the class:
Evaluations shown | in the period shown | not enough evidence | nothing in the last 180 days
none completed yet | Select a point to open it | Criteria of the latest one | median of all shown
95 % interval of the trend | No criterion stands out now | the longest pause lasted | as far as the calendar goes
the darker, the more | newest first. Tick | Unreadable or odd | departs from the specification
could not be read as specified | Also in the record | Compare two evaluations | All of this student
All sets of this student | Compare with the one before | Changes are against this student's | No earlier completed
The record has no feedback | words unknown | Or choose from the students | Or start from a student
Back to the overview | No evaluations of this student | upper and lower case matter
They were judged by different models | the changes run backwards in time | Only in one of them
This is the same evaluation twice | Turn the card | Search the cards | Download as TSV | Each file holds
importing it again updates the deck | Pieces of text that were indexed | according to the record
No cards until the set is completed | Go to an exact id | Every 10 s | What the states mean
while it is processing and young | Overdue after minutes | Stuck after hours | All but completed | done again | lost job
What failures say | What it says | Any text | Quarter of the period | quarter of a period
too few for a rate | not recorded | see all of it | One job | Waited | the record does not say when it ended
Other jobs of this student within a day | around that minute | Leave them | The period ends before it begins
The reasons of the newest | Scores that do not follow | Break the schema | Band off the scale
Overall does not follow from the criteria | Overall is half a band off | Length that is no answer
Pace at which nobody speaks | Criterion of the other type | The same card twice | total_cards disagrees
Word count contradicts | before there was BandUp | All that can be told from the lists | Tick a kind
Newest example | which keeps them cheap | Read them whole | read whole | Middle half | takes over
No model took over | What no list shows | Count them | missing from some list | Where it still is
Also what is only recommended | Can it be undone | Effect on cost | was so already | The last application
No steps: the account is as declared | Nothing is changed before you press Apply | Check again | not offered here
As it is now, or nearly | As it was at | Name of the new table | Restore to the new table | this waits along
AWS CLI commands for a new account | Policy for the Lambda functions | Policy for this dashboard
Policy for this Setup page | Type the account id | Look at up to 1,000 records | all the same | not metered
Demo: invented students | Reading it afresh failed | Not up to date: this was read | Reading everybody's records
Reading from DynamoDB | because of an error in the dashboard itself | could not be shown | Only ops may
Reading the whole table instead is for ops | If it goes on like this | the level has reached the target
Complete: yes | all the time | days away | not seen in | below target in | below the rest of | Open the first
Open the second | carries the summary
"""
PHRASES = [phrase.strip() for line in UNUSUAL.strip().split("\n") for phrase in line.split("|")]


@pytest.mark.parametrize("page", sorted(path.stem for path in WORDS.glob("*.txt")))
def test_no_page_says_what_people_stumbled_over(page: str) -> None:
    text = (WORDS / f"{page}.txt").read_text(encoding="utf-8").casefold()
    assert [phrase for phrase in PHRASES if phrase.casefold() in text] == []
